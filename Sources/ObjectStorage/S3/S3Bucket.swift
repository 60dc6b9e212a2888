import CloudAccess
import Crypto
import Kernel
import OutboundHTTP
import Transfers

/// A bucket of S3, or of a service that speaks like it.
struct S3Bucket: XMLPartsBucket {
    /// The hash that `put` keeps beside an object.
    private static let digestHeader = "x-amz-meta-sha256"

    let title: String
    let location: S3Location
    private let requests: S3Requests
    /// Whether `If-None-Match` is sent: the service neither ignores nor refuses it.
    let sendsConditions: Bool

    init(_ location: S3Location, _ requests: S3Requests, sendsConditions: Bool) {
        self.location = location
        self.requests = requests
        self.sendsConditions = sendsConditions
        title = requests.title
    }

    // MARK: - Whole objects

    func put(_ bytes: [UInt8], as name: String, digest: Digest, onlyNew isNew: Bool) async throws -> Bool {
        var request = requests.object("PUT", name, body: bytes)
        request.headers += storing(digest)
        if location.sendsChecksums { request.headers.append(("x-amz-checksum-sha256", Base64.encode(digest.bytes))) }
        if isNew, sendsConditions { request.headers.append(("If-None-Match", "*")) }
        let response = try await requests.send(request, payload: digest)
        if response.status == 412, isNew { return false }
        try requests.require(response, to: "s3:PutObject")
        return true
    }

    func get(_ name: String, range: Range<Int>, tag: String?) async throws -> BucketPart? {
        precondition(!range.isEmpty, "HTTP has no empty ranges")
        var request = requests.object("GET", name)
        request.headers.append(("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        if let tag { request.headers.append(("If-Match", tag)) }
        let response = try await requests.send(request)
        switch response.status {
        case 404 where !S3Failure(response).isBucketMissing: return nil
        case 412: throw ServiceError(.damaged, "An object has changed while it was read")
        case 416:
            // Nothing lies behind the end; how far that is, only a second question tells everywhere.
            return try await head(name).map { BucketPart(bytes: [], entry: $0) }
        default:
            try requests.require(response, to: "s3:GetObject")
            let size = Self.size(response) ?? response.body.count
            let whole = response.status == 200 ? range.clamped(to: 0..<response.body.count) : nil
            let bytes = whole.map { Array(response.body[$0]) } ?? response.body
            return BucketPart(bytes: bytes, entry: entry(response, size: size))
        }
    }

    func head(_ name: String) async throws -> BucketEntry? {
        let response = try await requests.send(requests.object("HEAD", name))
        if response.status == 404 { return nil }
        try requests.require(response, to: "s3:GetObject")
        guard let size = response[header: "Content-Length"].flatMap({ Int($0) }) else {
            throw ServiceError.unavailable("\(title) does not say how large an object is")
        }
        return entry(response, size: size)
    }

    func delete(_ name: String) async throws {
        let response = try await requests.send(requests.object("DELETE", name))
        if response.status == 404, !S3Failure(response).isBucketMissing { return }
        try requests.require(response, to: "s3:DeleteObject")
    }

    func copy(_ name: String, to other: String, digest: Digest) async throws {
        var request = requests.object("PUT", other)
        let source = PercentEncoding.encode("/\(location.bucket)/\(name)", keepingSlash: true)
        request.headers += [("x-amz-copy-source", source), ("x-amz-metadata-directive", "REPLACE")] + storing(digest)
        // An error may come after the head has said 200.
        _ = try requests.requireXML(try await requests.send(request), "CopyObjectResult", to: "s3:PutObject")
    }

    func signedURL(to access: SignedAccess, _ name: String, for life: Duration) async throws -> SignedURL? {
        try await requests.sign(requests.object(access.rawValue, name), for: life)
    }

    // MARK: - Lists

    func list(prefix: String, after cursor: String?, limit: Int) async throws -> BucketPage {
        var request = requests.bucket("GET")
        request.query = [("list-type", "2"), ("prefix", prefix), ("max-keys", "\(limit)")]
        if let cursor { request.query.append(("start-after", cursor)) }
        let result = try requests.requireXML(
            try await requests.send(request, limit: 16 << 20),
            "ListBucketResult",
            to: "s3:ListBucket"
        )
        let items = try result.all("Contents").map { entry in
            guard let name = entry["Key"]?.text, let size = entry["Size"].flatMap({ Int($0.text) }),
                let stored = entry["LastModified"].flatMap({ Timestamp(rfc3339: $0.text) })
            else { throw ServiceError.unavailable("\(title) answers a list that cannot be read") }
            return BucketPage.Item(name: name, size: size, stored: stored)
        }
        return BucketPage(items: items, next: result["IsTruncated"]?.text == "true" ? items.last?.name : nil)
    }

    // MARK: - Objects in parts

    static let partPermissions = PartPermissions(
        upload: "s3:PutObject",
        complete: "s3:PutObject",
        abort: "s3:AbortMultipartUpload",
        list: "s3:ListBucketMultipartUploads"
    )

    func send(_ part: PartRequest) async throws -> TransferResponse {
        var request =
            part.name.map { requests.object(part.method, $0, body: part.body) } ?? requests.bucket(part.method)
        request.query = part.query
        request.headers += part.headers
        return try await requests.send(request, limit: part.limit ?? S3Requests.usualLimit)
    }

    func require(_ response: TransferResponse, to permission: String) throws {
        try requests.require(response, to: permission)
    }

    func requireXML(_ response: TransferResponse, _ root: String, to permission: String) throws -> XMLElement {
        try requests.requireXML(response, root, to: permission)
    }

    // MARK: - Pieces

    func storing(_ digest: Digest?) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = [("Content-Type", "application/octet-stream")]
        if let digest { headers.append((Self.digestHeader, digest.hex)) }
        if let encryption = location.encryption {
            headers.append(("x-amz-server-side-encryption", encryption.rawValue))
        }
        if let key = location.encryptionKey {
            headers.append(("x-amz-server-side-encryption-aws-kms-key-id", key))
        }
        return headers
    }

    private func entry(_ response: TransferResponse, size: Int) -> BucketEntry {
        BucketEntry(
            size: size,
            tag: response[header: "ETag"] ?? "",
            digest: response[header: Self.digestHeader].flatMap { Digest(hex: $0) }
        )
    }

    /// What stands behind the slash of `Content-Range: bytes 0-9/100`.
    private static func size(_ response: TransferResponse) -> Int? {
        guard let range = response[header: "Content-Range"], let slash = range.lastIndex(of: "/") else { return nil }
        return Int(range[range.index(after: slash)...])
    }
}
