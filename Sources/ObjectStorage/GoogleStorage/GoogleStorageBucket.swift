import CloudAccess
import Contract
import Crypto
import Kernel
import Transfers

/// A bucket of Google Cloud Storage.
///
/// The service has two interfaces. Objects are stored, copied, deleted and listed in that of JSON. They are read in that
/// of XML, as the vendor's library for Go does, since it gives metadata along with content, which the other one does not.
struct GoogleStorageBucket: XMLPartsBucket {
    static let contentType = "application/octet-stream"
    /// The metadata that says what `put` was given.
    private static let digestField = "sha256"
    static let digestHeader = "x-goog-meta-\(digestField)"
    /// How many answers of a copy may say that it goes on; each one has copied a MiB or more.
    private static let longestCopy = 10_000

    let title: String
    let requests: GoogleStorageRequests

    init(_ requests: GoogleStorageRequests) {
        self.requests = requests
        title = requests.title
    }

    // MARK: - Whole objects

    func put(_ bytes: [UInt8], as name: String, digest: Digest, onlyNew isNew: Bool) async throws -> Bool {
        // No content has its own hash in it.
        let boundary = "cairn-\(digest.hex)"
        var request = requests.upload()
        request.query = [("uploadType", "multipart"), ("name", name), ("fields", "generation")]
        if isNew { request.query.append(("ifGenerationMatch", "0")) }
        request.headers = [("Content-Type", "multipart/related; boundary=\(boundary)")]
        var body = Array("--\(boundary)\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".utf8)
        body.reserveCapacity(bytes.count + 1024)
        body += try Self.metadata(digest).bytes
        body += Array("\r\n--\(boundary)\r\nContent-Type: \(Self.contentType)\r\n\r\n".utf8)
        body += bytes
        body += Array("\r\n--\(boundary)--\r\n".utf8)
        request.body = body
        let response = try await requests.send(request)
        if response.status == 412, isNew { return false }
        try requests.require(response, to: isNew ? "storage.objects.create" : Self.replacing)
        return true
    }

    func get(_ name: String, range: Range<Int>, tag: String?) async throws -> BucketPart? {
        precondition(!range.isEmpty, "HTTP has no empty ranges")
        var request = requests.objectXML("GET", name)
        request.headers = [("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        if let tag { request.headers.append(("x-goog-if-generation-match", tag)) }
        let response = try await requests.send(request)
        switch response.status {
        case 404 where GoogleStorageFailure(response).isObjectMissing: return nil
        case 412: throw ServiceError(.damaged, "An object has changed while it was read")
        case 416:
            // Nothing lies behind the end; how far that is, only a second question tells.
            return try await head(name).map { BucketPart(bytes: [], entry: $0) }
        default:
            try requests.require(response, to: "storage.objects.get")
            guard let generation = response[header: "x-goog-generation"] else {
                throw ServiceError.unavailable("\(title) does not say which generation of an object it gives")
            }
            let whole = response.status == 200 ? range.clamped(to: 0..<response.body.count) : nil
            let entry = BucketEntry(
                size: Self.size(response) ?? response.body.count,
                tag: generation,
                digest: response[header: Self.digestHeader].flatMap { Digest(hex: $0) }
            )
            return BucketPart(bytes: whole.map { Array(response.body[$0]) } ?? response.body, entry: entry)
        }
    }

    func head(_ name: String) async throws -> BucketEntry? {
        var request = requests.object("GET", name)
        request.query = [("fields", "size,generation,metadata")]
        let response = try await requests.send(request)
        if GoogleStorageFailure(response).isObjectMissing { return nil }
        let object = try requests.requireJSON(response, to: "storage.objects.get")
        guard let size = object[text: "size"].flatMap({ Int($0) }), let generation = object[text: "generation"]
        else { throw ServiceError.unavailable("\(title) does not say how large an object is") }
        var digest: Digest?
        if case .object(let metadata)? = object["metadata"] {
            digest = metadata[text: Self.digestField].flatMap { Digest(hex: $0) }
        }
        return BucketEntry(size: size, tag: generation, digest: digest)
    }

    func delete(_ name: String) async throws {
        let response = try await requests.send(requests.object("DELETE", name))
        if GoogleStorageFailure(response).isObjectMissing { return }
        try requests.require(response, to: "storage.objects.delete")
    }

    /// A large object is copied in several answers when it changes its place or class, each with a token for the next.
    func copy(_ name: String, to other: String, digest: Digest) async throws {
        var request = requests.rewrite(name, to: other)
        request.headers = [("Content-Type", "application/json")]
        request.body = try Self.metadata(digest).bytes
        var token: String?
        for _ in 0..<Self.longestCopy {
            request.query = [("fields", "done,rewriteToken")] + (token.map { [("rewriteToken", $0)] } ?? [])
            let answer = try requests.requireJSON(try await requests.send(request), to: Self.replacing)
            if answer["done"] == .bool(true) { return }
            token = answer[text: "rewriteToken"]
            guard token != nil else { break }
        }
        throw ServiceError.unavailable("\(title) does not copy an object")
    }

    func signedURL(to access: SignedAccess, _ name: String, for life: Duration) async throws -> SignedURL? {
        try await requests.sign(access, name, for: life)
    }

    // MARK: - Lists

    func list(prefix: String, after cursor: String?, limit: Int) async throws -> BucketPage {
        var request = requests.objects("GET")
        request.query = [
            ("prefix", prefix), ("maxResults", "\(limit)"), ("fields", "items(name,size,timeCreated),nextPageToken"),
        ]
        if let cursor { request.query.append(("pageToken", cursor)) }
        let response = try await requests.send(request, limit: 16 << 20)
        let answer = try requests.requireJSON(response, to: "storage.objects.list")
        var items: [BucketPage.Item] = []
        if case .array(let list)? = answer["items"] {
            items = try list.map { value in
                guard case .object(let object) = value, let name = object[text: "name"],
                    let size = object[text: "size"].flatMap({ Int($0) }),
                    let stored = object[text: "timeCreated"].flatMap({ Timestamp(rfc3339: $0) })
                else { throw ServiceError.unavailable("\(title) answers a list that cannot be read") }
                return BucketPage.Item(name: name, size: size, stored: stored)
            }
        }
        return BucketPage(items: items, next: answer[text: "nextPageToken"])
    }

    // MARK: - Pieces

    /// Whoever may create objects may replace them only when he may delete them.
    static let replacing = "storage.objects.create and storage.objects.delete"

    private static func metadata(_ digest: Digest) throws -> RawJSON {
        try RawJSON { json in
            json.beginObject()
            json.field("contentType", string: contentType)
            json.name("metadata")
            json.beginObject()
            json.name(digestField)
            json.string(digest.hex)
            json.endObject()
            json.endObject()
        }
    }

    /// What stands behind the slash of `Content-Range: bytes 0-9/100`.
    private static func size(_ response: TransferResponse) -> Int? {
        guard let range = response[header: "Content-Range"], let slash = range.lastIndex(of: "/") else { return nil }
        return Int(range[range.index(after: slash)...])
    }
}
