import CloudAccess
import Crypto
import Kernel
import Transfers

/// A container of Azure Blob Storage.
struct AzureBlobBucket: Bucket {
    private static let digestHeader = "x-ms-meta-sha256"
    /// How long a copy inside of an account is waited for.
    private static let longestCopy = 200

    let title: String
    private let requests: AzureBlobRequests
    private let clock: any Clock<Duration>

    init(_ requests: AzureBlobRequests, clock: any Clock<Duration>) {
        self.requests = requests
        self.clock = clock
        title = requests.title
    }

    // MARK: - Whole objects

    func put(_ bytes: [UInt8], as name: String, digest: Digest, onlyNew isNew: Bool) async throws -> Bool {
        var request = requests.blob("PUT", name, body: bytes)
        request.headers += [("x-ms-blob-type", "BlockBlob")] + Self.storing(digest)
        if isNew { request.headers.append(("If-None-Match", "*")) }
        let response = try await requests.send(request)
        if isNew, Self.isTaken(response) { return false }
        try requests.require(response, to: "write")
        return true
    }

    func get(_ name: String, range: Range<Int>, tag: String?) async throws -> BucketPart? {
        precondition(!range.isEmpty, "HTTP has no empty ranges")
        var request = requests.blob("GET", name)
        request.headers.append(("x-ms-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        if let tag { request.headers.append(("If-Match", tag)) }
        let response = try await requests.send(request)
        switch response.status {
        case 404 where AzureBlobFailure(response).isBlobMissing: return nil
        case 412: throw ServiceError(.damaged, "An object has changed while it was read")
        case 416: return try await head(name).map { BucketPart(bytes: [], entry: $0) }
        default:
            try requests.require(response, to: "read")
            let total = response[header: "Content-Range"].flatMap { $0.split(separator: "/").last }.flatMap { Int($0) }
            return BucketPart(bytes: response.body, entry: Self.entry(response, size: total ?? response.body.count))
        }
    }

    func head(_ name: String) async throws -> BucketEntry? {
        let response = try await requests.send(requests.blob("HEAD", name))
        if AzureBlobFailure(response).isBlobMissing { return nil }
        try requests.require(response, to: "read")
        guard let size = response[header: "Content-Length"].flatMap({ Int($0) }) else {
            throw ServiceError.unavailable("\(title) does not say how large a blob is")
        }
        return Self.entry(response, size: size)
    }

    func delete(_ name: String) async throws {
        let response = try await requests.send(requests.blob("DELETE", name))
        if AzureBlobFailure(response).isBlobMissing { return }
        try requests.require(response, to: "delete")
    }

    func copy(_ name: String, to other: String, digest: Digest) async throws {
        var request = requests.blob("PUT", other)
        request.headers += [("x-ms-copy-source", requests.source(name))] + Self.storing(digest)
        var response = try await requests.send(request)
        try requests.require(response, to: "write")
        for _ in 0..<Self.longestCopy where response[header: "x-ms-copy-status"] == "pending" {
            try await clock.sleep(for: .milliseconds(100))
            response = try await requests.send(requests.blob("HEAD", other))
            try requests.require(response, to: "read")
        }
        guard response[header: "x-ms-copy-status"] == "success" else {
            throw ServiceError.unavailable("\(title) does not copy a blob")
        }
    }

    func signedURL(to access: SignedAccess, _ name: String, for life: Duration) async throws -> SignedURL? {
        try await requests.sign(access, name, for: life)
    }

    // MARK: - Lists

    func list(prefix: String, after cursor: String?, limit: Int) async throws -> BucketPage {
        var request = requests.container("GET")
        request.query += [("comp", "list"), ("prefix", prefix), ("maxresults", "\(limit)")]
        if let cursor { request.query.append(("marker", cursor)) }
        let response = try await requests.send(request, limit: 16 << 20)
        try requests.require(response, to: "list")
        guard let result = XMLElement.parse(response.body), let blobs = result["Blobs"] else {
            throw ServiceError.unavailable("\(title) answers a list that cannot be read")
        }
        let items = try blobs.all("Blob").map { blob in
            let properties = blob["Properties"]
            guard let name = blob["Name"]?.text, let size = properties?["Content-Length"].flatMap({ Int($0.text) }),
                let stored = properties?["Last-Modified"].flatMap({ Timestamp(httpDate: $0.text) })
            else { throw ServiceError.unavailable("\(title) answers a list that cannot be read") }
            return BucketPage.Item(name: name, size: size, stored: stored)
        }
        let next = result["NextMarker"]?.text ?? ""
        return BucketPage(items: items, next: next.isEmpty ? nil : next)
    }

    // MARK: - Objects in parts

    /// Blocks belong to the blob's name; the hash comes with the list of them.
    func begin(_ name: String, digest: Digest?) async throws -> BucketUpload {
        BucketUpload(name: name, id: digest?.hex ?? "")
    }

    func upload(_ bytes: [UInt8], number: Int, of upload: BucketUpload) async throws -> String {
        // Writers of one name must not take each other's blocks, so what a block is named by is what it holds.
        let block = Base64.encode(SHA256.hash(bytes).bytes)
        var request = requests.blob("PUT", upload.name, body: bytes)
        request.query = [("comp", "block"), ("blockid", block)]
        try requests.require(try await requests.send(request), to: "write")
        return block
    }

    func complete(_ upload: BucketUpload, parts: [String]) async throws {
        let list = parts.map { "<Uncommitted>\($0)</Uncommitted>" }.joined()
        let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>\(list)</BlockList>"
        var request = requests.blob("PUT", upload.name, body: Array(text.utf8))
        request.query = [("comp", "blocklist")]
        request.headers += [("Content-Type", "text/plain; charset=UTF-8"), ("If-None-Match", "*")]
        if let digest = Digest(hex: upload.id) { request.headers.append((Self.digestHeader, digest.hex)) }
        let response = try await requests.send(request)
        // Somebody else was first, or the first answer was lost: whoever reads compares what is there.
        if Self.isTaken(response) { return }
        try requests.require(response, to: "write")
    }

    /// The service forgets blocks that nothing was made of after a week; there is no request for it.
    func abort(_ upload: BucketUpload) async throws {}

    func unfinishedUploads(before time: Timestamp) async throws -> [BucketUpload] {
        []
    }

    // MARK: - Pieces

    private static func storing(_ digest: Digest) -> [(name: String, value: String)] {
        [("x-ms-blob-content-type", "application/octet-stream"), (digestHeader, digest.hex)]
    }

    private static func isTaken(_ response: TransferResponse) -> Bool {
        let code = AzureBlobFailure(response).code
        return response.status == 409 && code == "BlobAlreadyExists" || response.status == 412
    }

    private static func entry(_ response: TransferResponse, size: Int) -> BucketEntry {
        BucketEntry(
            size: size,
            tag: response[header: "ETag"] ?? "",
            digest: response[header: digestHeader].flatMap { Digest(hex: $0) }
        )
    }
}
