package import CloudAccess
import Kernel

/// A bucket of Google Cloud Storage, as a URL names it: `gs://bucket?prefix=…`.
package struct GoogleStorageLocation: Sendable, Equatable {
    package let bucket: String
    /// Put before every name; empty, or ends as the operator wrote it.
    package let prefix: String
    /// Where the service is reached; paths of both of its interfaces stand behind it.
    package let address: ServiceAddress
    package let isAnonymous: Bool
    /// The domain of the cloud, in which the other services are.
    package let universe: String

    /// Reads a URL.
    ///
    /// - Parameter emulator: where the settings say that a service without tokens is; used when the URL names no endpoint.
    /// - Throws: `BucketURLProblem`, all that is wrong in one text.
    package init(_ url: String, emulator: ServiceAddress?) throws(BucketURLProblem) {
        guard url.hasPrefix("gs://") else { throw BucketURLProblem("does not begin with gs://") }
        let parts = url.dropFirst("gs://".count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        bucket = String(parts[0])
        let problems = Self.problems(bucket: bucket)
        var reader = ParameterReader(parts.count > 1 ? parts[1] : "")
        prefix = reader.text("prefix") ?? ""
        let wantsNoToken = reader.flag("anonymous")
        let endpoint = reader.text("endpoint")
        let universe = reader.text("universe_domain")
        if endpoint != nil, universe != nil { reader.report("endpoint and universe_domain do not go together") }
        let named = endpoint.flatMap { Self.address(endpoint: $0, isAnonymous: wantsNoToken, &reader) }
        self.universe = universe ?? "googleapis.com"
        let vendor = Self.address(universe: self.universe, &reader)
        let usesEmulator = endpoint == nil && emulator != nil
        if usesEmulator, universe != nil {
            reader.report("universe_domain does not go together with STORAGE_EMULATOR_HOST")
        }
        address = named ?? (usesEmulator ? emulator : nil) ?? vendor
        isAnonymous = wantsNoToken || usesEmulator
        let all = problems + reader.finish()
        if !all.isEmpty { throw BucketURLProblem(all.joined(separator: "; ")) }
    }

    /// Reads `STORAGE_EMULATOR_HOST`: `host:port`, or a URL of that; nil for anything else.
    package static func emulator(_ text: String) -> ServiceAddress? {
        ServiceAddress(text.contains("://") ? text : "http://\(text)")
    }

    private static func address(
        endpoint: String,
        isAnonymous: Bool,
        _ reader: inout ParameterReader
    ) -> ServiceAddress? {
        guard let address = ServiceAddress(endpoint) else {
            reader.report("endpoint takes a URL of http or https without a user and without a query")
            return nil
        }
        if address.scheme == "http", !address.isLoopback, !isAnonymous {
            reader.report("endpoint takes an https URL, since tokens are sent there; anonymous=true sends none")
        }
        return address
    }

    private static func address(universe: String, _ reader: inout ParameterReader) -> ServiceAddress {
        guard let host = HostAndPort(universe), host.port == nil, !host.host.contains(":") else {
            reader.report("universe_domain takes a domain, such as googleapis.com")
            return ServiceAddress(host: "")
        }
        return ServiceAddress(host: "storage.\(host.host)")
    }

    /// The vendor's rules: what has dots may be longer, and belongs to whoever owns the domain.
    private static func problems(bucket: String) -> [String] {
        if bucket.contains("/") { return ["'\(bucket)' has a path; name a prefix with ?prefix="] }
        if bucket.contains(":") {
            return ["'\(bucket)' has a port where the bucket stands; the server goes into ?endpoint=http://host:port"]
        }
        let isGood =
            bucket.utf8.allSatisfy { isLetterOrDigit($0) || "-._".utf8.contains($0) }
            && [bucket.utf8.first, bucket.utf8.last].allSatisfy { $0.map(isLetterOrDigit) ?? false }
            && (3...222).contains(bucket.utf8.count)
            && bucket.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
                (1...63).contains($0.utf8.count)
            }
        return isGood ? [] : ["'\(bucket)' is no name of a bucket: 3 to 63 of a-z, 0-9, '-', '_' and '.'"]
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte)
    }
}
