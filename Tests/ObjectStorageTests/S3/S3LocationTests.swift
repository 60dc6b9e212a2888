import ObjectStorage
import Testing

@Suite("URLs of buckets")
struct S3LocationTests {
    @Test(
        "lead to the host and the form of address that the service wants",
        arguments: [
            ("s3://states", "https", "s3.eu-west-1.amazonaws.com", false),
            ("s3://states?region=us-east-2", "https", "s3.us-east-2.amazonaws.com", false),
            ("s3://states?region=cn-north-1", "https", "s3.cn-north-1.amazonaws.com.cn", false),
            ("s3://st.ates", "https", "s3.eu-west-1.amazonaws.com", true),
            ("s3://st.ates?disableSSL=true", "http", "s3.eu-west-1.amazonaws.com", false),
            ("s3://states?dualstack=true&fips=true", "https", "s3-fips.dualstack.eu-west-1.amazonaws.com", false),
            ("s3://states?accelerate=true", "https", "s3-accelerate.amazonaws.com", false),
            (
                "s3://states?endpoint=minio:9000&disableSSL=true&s3ForcePathStyle=true", "http", "minio:9000", true
            ),
            (
                "s3://states?endpoint=storage.googleapis.com:443&s3ForcePathStyle=true", "https",
                "storage.googleapis.com", true
            ),
            ("s3://states?endpoint=http://s3.example.com/", "http", "s3.example.com", false),
            (
                "s3://states?endpoint=http%3A%2F%2Fs3.example.com%3A80&hostname_immutable=1", "http", "s3.example.com",
                true
            ),
            ("s3://states?endpoint=127.0.0.1:9000", "https", "127.0.0.1:9000", true),
            ("s3://states?endpoint=[::1]:9000&disable_https=true", "http", "[::1]:9000", true),
            ("s3://states?endpoint=localhost:9000&use_path_style=false", "https", "localhost:9000", true),
        ]
    )
    func leads(url: String, scheme: String, host: String, isPath: Bool) throws {
        let location = try S3Location(url, region: "eu-west-1")

        #expect(location.bucket == (url.contains("st.ates") ? "st.ates" : "states"))
        #expect((location.scheme, location.host, location.usesPathStyle) == (scheme, host, isPath))
    }

    @Test("give every parameter its meaning")
    func readsParameters() throws {
        let url =
            "s3://states?prefix=a%20b/&profile=ops&role=arn:aws:iam::1:role/r&ssetype=aws:kms&kmskeyid=k+1"
            + "&awssdk=v2&rate_limiter_capacity=5&request_checksum_calculation=when_required"
            + "&response_checksum_validation=when_supported&anonymous=true"

        let location = try S3Location(url, region: "r")

        #expect(location.prefix == "a b/")
        #expect((location.profile, location.role) == ("ops", "arn:aws:iam::1:role/r"))
        #expect((location.encryption, location.encryptionKey) == (.kms, "k 1"))
        #expect(location.isAnonymous && !location.sendsChecksums && !location.isCustom)
        #expect(try S3Location("s3://states", region: "r").sendsChecksums)
        #expect(try !S3Location("s3://states?endpoint=h", region: nil).sendsChecksums)
        #expect(try S3Location("s3://states?endpoint=h", region: nil).region == "us-east-1")
    }

    @Test(
        "are refused with every problem named",
        arguments: [
            ("s3://states", ["AWS_REGION"]),
            ("s3://my-bucket:9000?region=r", ["port where the bucket stands", "endpoint=host:port"]),
            ("s3://a?region=r", ["'a' is no name of a bucket"]),
            ("s3://states/a?region=r", ["has a path", "prefix"]),
            ("s3://st%20ates?region=r", ["is no name of a bucket"]),
            ("s3://states?region=r&colour=red", ["'colour' is unknown"]),
            ("s3://states?region=r&region=s", ["'region' is there twice"]),
            ("s3://states?region=r&fips=yes&ssetype=rot13", ["'fips' takes true or false", "'ssetype' takes AES256"]),
            ("s3://states?region=r&kmskeyid=k", ["kmskeyid needs ssetype"]),
            ("s3://states?region=r&ssetype=AES256&kmskeyid=k", ["kmskeyid needs ssetype"]),
            ("s3://states?endpoint=http://h/path", ["endpoint takes host:port"]),
            ("s3://states?endpoint=h&accelerate=true", ["for Amazon's endpoints"]),
            ("s3://states?region=%zz", ["not percent-encoded"]),
            ("s3://states?region=%ff", ["not percent-encoded"]),
            ("azblob://states", ["does not begin with s3://"]),
        ]
    )
    func refuses(url: String, words: [String]) {
        let problem = #expect(throws: BucketURLProblem.self) { try S3Location(url, region: nil) }

        for word in words { #expect(problem?.description.contains(word) == true, "\(problem?.description ?? "")") }
    }
}
