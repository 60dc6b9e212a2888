import Kernel

/// A bucket of S3, or of a service that speaks like it, as a URL names it: `s3://bucket?region=…`.
///
/// The parameters are those of every generation of the library that the vendor's server uses, old spellings included
/// (`spec/self-hosting.md` §2.3).
package struct S3Location: Sendable, Equatable {
    package enum Encryption: String, Sendable, CaseIterable {
        case aes256 = "AES256"
        case kms = "aws:kms"
        case kmsTwice = "aws:kms:dsse"
    }

    package let bucket: String
    /// Put before every name; empty, or ends as the operator wrote it.
    package private(set) var prefix = ""
    package private(set) var region = ""
    package private(set) var scheme = "https"
    /// With the port when it is not the scheme's own; without the bucket.
    package private(set) var host = ""
    /// Whether the bucket stands in the path and not in the host.
    package private(set) var usesPathStyle = false
    /// Whether the service is not Amazon's own.
    package private(set) var isCustom = false
    package private(set) var isAnonymous = false
    package private(set) var profile: String?
    package private(set) var role: String?
    /// Whether checksums go in headers that only newer services know.
    package private(set) var sendsChecksums = true
    package private(set) var encryption: Encryption?
    package private(set) var encryptionKey: String?

    /// Reads a URL.
    ///
    /// - Parameter region: used when the URL names none.
    /// - Throws: `BucketURLProblem`, all that is wrong in one text.
    package init(_ url: String, region: String?) throws(BucketURLProblem) {
        guard url.hasPrefix("s3://") else { throw BucketURLProblem("does not begin with s3://") }
        let rest = url.dropFirst("s3://".count)
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        bucket = String(parts[0])
        var problems = Self.problems(bucket: bucket)
        var reader = ParameterReader(parts.count > 1 ? parts[1] : "")
        read(&reader, region: region)
        problems += reader.finish()
        if self.region.isEmpty { problems.append("needs a region: set AWS_REGION or add ?region=") }
        if encryptionKey != nil, encryption == nil || encryption == .aes256 {
            problems.append("kmskeyid needs ssetype=aws:kms")
        }
        if !problems.isEmpty { throw BucketURLProblem(problems.joined(separator: "; ")) }
    }

    private mutating func read(_ reader: inout ParameterReader, region fallback: String?) {
        let endpoint = reader.text("endpoint")
        let isPlain = reader.flag("disableSSL", "disable_ssl", "disable_https")
        let wantsPath = reader.flag("s3ForcePathStyle", "s3_force_path_style", "use_path_style")
        let isImmutable = reader.flag("hostname_immutable")
        let isDual = reader.flag("dualstack")
        let isFIPS = reader.flag("fips")
        let isFast = reader.flag("accelerate")
        isAnonymous = reader.flag("anonymous")
        profile = reader.text("profile")
        role = reader.text("role")
        prefix = reader.text("prefix") ?? ""
        encryption = reader.choice("ssetype", Encryption.allCases)
        encryptionKey = reader.text("kmskeyid")
        reader.ignore("awssdk", "rate_limiter_capacity")
        isCustom = endpoint != nil
        region = reader.text("region") ?? fallback ?? (isCustom ? "us-east-1" : "")
        let sends = reader.choice("request_checksum_calculation", Checksums.allCases)
        _ = reader.choice("response_checksum_validation", Checksums.allCases)
        sendsChecksums = sends.map { $0 == .whenSupported } ?? !isCustom
        scheme = isPlain ? "http" : "https"
        if let endpoint {
            if isFast || isDual || isFIPS { reader.report("dualstack, fips and accelerate are for Amazon's endpoints") }
            take(endpoint, &reader)
        } else {
            host = Self.amazon(region: region, isDual: isDual, isFIPS: isFIPS, isFast: isFast)
        }
        // A certificate for *.host does not cover a bucket with dots, and an address has no names below it.
        usesPathStyle = wantsPath || isImmutable || (scheme == "https" && bucket.contains(".")) || isAddress
    }

    private enum Checksums: String, CaseIterable {
        case whenSupported = "when_supported"
        case whenRequired = "when_required"
    }

    private mutating func take(_ endpoint: String, _ reader: inout ParameterReader) {
        var text = Substring(endpoint)
        for known in ["https", "http"] where text.lowercased().hasPrefix("\(known)://") {
            scheme = known
            text = text.dropFirst(known.count + 3)
        }
        if text.last == "/" { text = text.dropLast() }
        guard let parsed = HostAndPort(text) else {
            reader.report("endpoint takes host:port or a URL without a path")
            return
        }
        let isUsual = parsed.port == nil || parsed.port == (scheme == "https" ? 443 : 80)
        host = isUsual ? Self.bracketed(parsed.host) : "\(Self.bracketed(parsed.host)):\(parsed.port ?? 0)"
    }

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }

    private var isAddress: Bool {
        host.hasPrefix("[") || host.hasPrefix("localhost")
            || host.prefix { $0 != ":" }.allSatisfy { $0.isNumber || $0 == "." }
    }

    private static func amazon(region: String, isDual: Bool, isFIPS: Bool, isFast: Bool) -> String {
        let end = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        if isFast { return isDual ? "s3-accelerate.dualstack.\(end)" : "s3-accelerate.\(end)" }
        return "\(isFIPS ? "s3-fips" : "s3")\(isDual ? ".dualstack" : "").\(region).\(end)"
    }

    private static func problems(bucket: String) -> [String] {
        if bucket.contains("/") {
            return ["'\(bucket)' has a path; name a prefix with ?prefix="]
        }
        if bucket.contains(":") {
            return ["'\(bucket)' has a port where the bucket stands; the server goes into ?endpoint=host:port"]
        }
        let isGood = bucket.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte) || (65...90).contains(byte)
                || "-._".utf8.contains(byte)
        }
        return isGood && (3...63).contains(bucket.utf8.count)
            ? [] : ["'\(bucket)' is no name of a bucket: 3 to 63 letters, digits, '-', '.' and '_'"]
    }
}
