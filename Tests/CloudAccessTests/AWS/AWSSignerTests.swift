import CloudAccess
import Crypto
import Kernel
import Testing
import Transfers

/// The examples that the vendor publishes in its documentation of S3 ("Examples: signature calculations") and in its
/// test suite of Signature Version 4.
@Suite("Signing requests to AWS")
struct AWSSignerTests {
    private static let examples = AWSCredentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE",
        secretAccessKey: Redacted("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    )
    private static let suite = AWSCredentials(
        accessKeyID: "AKIDEXAMPLE",
        secretAccessKey: Redacted("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    )

    @Test(
        "gives the published signatures of S3",
        arguments: [
            (
                AWSRequest("GET", host: host, path: "/test.txt", headers: [("Range", "bytes=0-9")]),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            (
                AWSRequest(
                    "PUT",
                    host: host,
                    path: "/test%24file.text",
                    headers: [
                        ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
                    ],
                    body: Array("Welcome to Amazon S3.".utf8)
                ),
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            ),
            (
                AWSRequest("GET", host: host, query: [("lifecycle", "")]),
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
            ),
            (
                AWSRequest("GET", host: host, query: [("prefix", "J"), ("max-keys", "2")]),
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
        ]
    )
    func signsForS3(request: AWSRequest, signature: String) throws {
        let time = try #require(Timestamp(rfc3339: "2013-05-24T00:00:00Z"))

        let signed = AWSSigner(region: "us-east-1", service: "s3").sign(request, with: Self.examples, at: time)

        #expect(signed.authorization.hasSuffix("Signature=\(signature)"))
        #expect(signed.headers.contains { $0 == ("X-Amz-Date", "20130524T000000Z") })
    }

    @Test("gives the published signed URL")
    func presigns() throws {
        let time = try #require(Timestamp(rfc3339: "2013-05-24T00:00:00Z"))
        let signer = AWSSigner(region: "us-east-1", service: "s3")

        let url = signer.presign(
            AWSRequest("GET", host: Self.host, path: "/test.txt"),
            with: Self.examples,
            at: time,
            for: .seconds(86_400)
        )

        #expect(
            url == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
    }

    @Test(
        "gives the published signatures of the test suite",
        arguments: [
            (AWSRequest("GET", host: plain), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (AWSRequest("POST", host: plain), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                AWSRequest("GET", host: plain, query: [("Param2", "value2"), ("Param1", "value1")]),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
            ),
            (
                AWSRequest("GET", host: plain, headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")]),
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
            ),
        ]
    )
    func signsForOthers(request: AWSRequest, signature: String) throws {
        let time = try #require(Timestamp(rfc3339: "2015-08-30T12:36:00Z"))

        let signed = AWSSigner(region: "us-east-1", service: "service").sign(request, with: Self.suite, at: time)

        #expect(signed.authorization.hasSuffix("Signature=\(signature)"))
    }

    @Test("sends the token of temporary keys, and signs it")
    func signsToken() {
        let credentials = AWSCredentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: Redacted("hidden"),
            sessionToken: Redacted("the token")
        )
        let signer = AWSSigner(region: "us-east-1", service: "kms")

        let signed = signer.sign(AWSRequest("POST", host: Self.plain), with: credentials, at: Timestamp(seconds: 0))

        #expect(signed.headers.contains { $0 == ("X-Amz-Security-Token", "the token") })
        #expect(signed.authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"))
        #expect(!"\(credentials)".contains("hidden") && !"\(credentials)".contains("the token"))
    }

    private static let host = "examplebucket.s3.amazonaws.com"
    private static let plain = "example.amazonaws.com"
}

extension TransferRequest {
    fileprivate var authorization: String {
        headers.first { $0.name == "Authorization" }?.value ?? ""
    }
}
