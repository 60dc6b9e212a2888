import CloudAccess
import Crypto
import Kernel
import Transfers

/// Objects in parts as S3 has them, and whoever took that interface over.
protocol XMLPartsBucket: Bucket {
    /// What each step needs to be permitted, as the vendor names it.
    static var partPermissions: PartPermissions { get }

    /// Headers of a new object.
    func storing(_ digest: Digest?) -> [(name: String, value: String)]

    /// Sends a request about one object, or about the bucket where there is no name.
    func send(_ request: PartRequest) async throws -> TransferResponse

    func require(_ response: TransferResponse, to permission: String) throws

    /// The answer's document, whose root must have this name: an error may come with status 200.
    func requireXML(_ response: TransferResponse, _ root: String, to permission: String) throws -> XMLElement
}

struct PartPermissions: Sendable {
    let upload: String
    let complete: String
    let abort: String
    let list: String
}

/// A request of this interface, before the vendor's address and signature.
struct PartRequest: Sendable {
    let method: String
    var name: String?
    var query: [(name: String, value: String)]
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]?
    /// The most bytes of an answer; nil for as many as usual.
    var limit: Int?
}

extension XMLPartsBucket {
    func begin(_ name: String, digest: Digest?) async throws -> BucketUpload {
        let request = PartRequest(method: "POST", name: name, query: [("uploads", "")], headers: storing(digest))
        let result = try requireXML(
            try await send(request),
            "InitiateMultipartUploadResult",
            to: Self.partPermissions.upload
        )
        guard let id = result["UploadId"]?.text, !id.isEmpty else {
            throw ServiceError.unavailable("\(title) gives no id for an upload in parts")
        }
        return BucketUpload(name: name, id: id)
    }

    func upload(_ bytes: [UInt8], number: Int, of upload: BucketUpload) async throws -> String {
        let query = [("partNumber", "\(number)"), ("uploadId", upload.id)]
        let response = try await send(PartRequest(method: "PUT", name: upload.name, query: query, body: bytes))
        try require(response, to: Self.partPermissions.upload)
        guard let tag = response[header: "ETag"] else {
            throw ServiceError.unavailable("\(title) gives no tag for a part")
        }
        return tag
    }

    func complete(_ upload: BucketUpload, parts: [String]) async throws {
        let list = parts.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
        }
        let response = try await send(
            PartRequest(
                method: "POST",
                name: upload.name,
                query: [("uploadId", upload.id)],
                headers: [("Content-Type", "application/xml")],
                body: Array("<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>".utf8)
            )
        )
        // The first answer was lost: whoever asks again finds the upload gone and the object there.
        if response.status == 404, try await head(upload.name) != nil { return }
        _ = try requireXML(response, "CompleteMultipartUploadResult", to: Self.partPermissions.complete)
    }

    func abort(_ upload: BucketUpload) async throws {
        let request = PartRequest(method: "DELETE", name: upload.name, query: [("uploadId", upload.id)])
        let response = try await send(request)
        if response.status == 404 { return }
        try require(response, to: Self.partPermissions.abort)
    }

    func unfinishedUploads(before time: Timestamp) async throws -> [BucketUpload] {
        var found: [BucketUpload] = []
        var marker: [(name: String, value: String)]? = []
        while let place = marker {
            let request = PartRequest(method: "GET", query: [("uploads", "")] + place, limit: 16 << 20)
            let result = try requireXML(
                try await send(request),
                "ListMultipartUploadsResult",
                to: Self.partPermissions.list
            )
            for upload in result.all("Upload") {
                guard let name = upload["Key"]?.text, let id = upload["UploadId"]?.text,
                    let begun = upload["Initiated"].flatMap({ Timestamp(rfc3339: $0.text) })
                else { throw ServiceError.unavailable("\(title) answers a list that cannot be read") }
                if begun < time { found.append(BucketUpload(name: name, id: id)) }
            }
            marker = nil
            if result["IsTruncated"]?.text == "true", let name = result["NextKeyMarker"]?.text, !name.isEmpty {
                marker = [("key-marker", name), ("upload-id-marker", result["NextUploadIdMarker"]?.text ?? "")]
            }
        }
        return found
    }
}
