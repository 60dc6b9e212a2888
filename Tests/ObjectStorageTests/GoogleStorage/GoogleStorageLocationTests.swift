import CloudAccess
import ObjectStorage
import Testing

@Suite("URLs of buckets at Google")
struct GoogleStorageLocationTests {
    @Test(
        "lead to where the service is, and say whether tokens go there",
        arguments: [
            ("gs://states", "https://storage.googleapis.com", false),
            ("gs://states?anonymous=true", "https://storage.googleapis.com", true),
            ("gs://states?universe_domain=example.cloud", "https://storage.example.cloud", false),
            ("gs://states?endpoint=https://gcs.example.com:8443/", "https://gcs.example.com:8443", false),
            ("gs://states?endpoint=https%3A%2F%2Fgcs.example.com%2Fapi", "https://gcs.example.com/api", false),
            ("gs://states?endpoint=http://127.0.0.1:4443", "http://127.0.0.1:4443", false),
            ("gs://states?endpoint=http://[::1]:4443", "http://[::1]:4443", false),
            ("gs://states?endpoint=http://fake:4443&anonymous=true", "http://fake:4443", true),
        ]
    )
    func leads(url: String, address: String, isAnonymous: Bool) throws {
        let location = try GoogleStorageLocation(url, emulator: nil)

        #expect((location.bucket, location.prefix) == ("states", ""))
        #expect(location.universe == (url.contains("universe_domain") ? "example.cloud" : "googleapis.com"))
        #expect((location.address.url, location.isAnonymous) == (address, isAnonymous))
    }

    @Test(
        "lead to an emulator that the settings name, without tokens, unless they name an endpoint themselves",
        arguments: [
            ("gs://states", "http://fake:4443", true),
            ("gs://states?endpoint=https://gcs.example.com", "https://gcs.example.com", false),
        ]
    )
    func emulator(url: String, address: String, isAnonymous: Bool) throws {
        let emulator = GoogleStorageLocation.emulator("fake:4443")

        let location = try GoogleStorageLocation(url, emulator: emulator)

        #expect((location.address.url, location.isAnonymous) == (address, isAnonymous))
    }

    @Test("take every name that the vendor takes, and a prefix")
    func takesNames() throws {
        let long = String(repeating: "a", count: 63)

        for name in ["abc", "a_b-c.9", long, "\(long).\(long).\(long)"] {
            #expect(try GoogleStorageLocation("gs://\(name)", emulator: nil).bucket == name)
        }
        #expect(try GoogleStorageLocation("gs://states?prefix=a%20b/", emulator: nil).prefix == "a b/")
    }

    @Test(
        "are refused with every problem named",
        arguments: [
            ("gs://St?colour=red", ["'St' is no name of a bucket", "'colour' is unknown"]),
            ("gs://ab", ["'ab' is no name of a bucket"]),
            ("gs://-states", ["is no name of a bucket"]),
            ("gs://states-", ["is no name of a bucket"]),
            ("gs://sta..tes", ["is no name of a bucket"]),
            ("gs://\(String(repeating: "a", count: 64))", ["is no name of a bucket"]),
            ("gs://st%20ates", ["is no name of a bucket"]),
            ("gs://", ["'' is no name of a bucket"]),
            ("gs://states/a", ["has a path", "?prefix="]),
            ("gs://states:443", ["has a port", "endpoint=http://host:port"]),
            ("gs://states?anonymous=perhaps", ["'anonymous' takes true or false"]),
            ("gs://states?endpoint=gcs.example.com", ["endpoint takes a URL"]),
            ("gs://states?endpoint=https://user@gcs.example.com", ["endpoint takes a URL"]),
            ("gs://states?endpoint=http://gcs.example.com", ["endpoint takes an https URL"]),
            ("gs://states?universe_domain=a/b", ["universe_domain takes a domain"]),
            ("gs://states?universe_domain=example.com:80", ["universe_domain takes a domain"]),
            ("gs://states?universe_domain=a.b&endpoint=https://c.d", ["do not go together"]),
            ("gs://states?prefix=a&prefix=b", ["'prefix' is there twice"]),
            ("s3://states", ["does not begin with gs://"]),
        ]
    )
    func refuses(url: String, words: [String]) {
        let problem = #expect(throws: BucketURLProblem.self) { try GoogleStorageLocation(url, emulator: nil) }

        for word in words { #expect(problem?.description.contains(word) == true, "\(problem?.description ?? "")") }
    }
}
