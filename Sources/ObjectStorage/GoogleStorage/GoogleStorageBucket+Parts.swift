import CloudAccess
import Crypto
import Kernel
import Transfers

/// Objects in parts, which are those of the XML interface.
///
/// The JSON interface has two ways to a large object. An upload that resumes takes its bytes in order, one request after
/// the other; `Bucket` sends parts at once and in any order. Parts that are objects of their own, composed 32 at a time,
/// would cost a tree of requests, and objects that are charged and kept for as long as the bucket's rules say after they
/// were deleted. The price of parts: an object that is there is replaced, since no condition goes with them.
/// `BucketObjectStore` has looked before.
extension GoogleStorageBucket {
    func begin(_ name: String, digest: Digest?) async throws -> BucketUpload {
        var request = requests.objectXML("POST", name)
        request.query = [("uploads", "")]
        request.headers = [("Content-Type", Self.contentType)]
        if let digest { request.headers.append((Self.digestHeader, digest.hex)) }
        let result = try requests.requireXML(
            try await requests.send(request),
            "InitiateMultipartUploadResult",
            to: Self.uploading
        )
        guard let id = result["UploadId"]?.text, !id.isEmpty else {
            throw ServiceError.unavailable("\(title) gives no id for an upload in parts")
        }
        return BucketUpload(name: name, id: id)
    }

    func upload(_ bytes: [UInt8], number: Int, of upload: BucketUpload) async throws -> String {
        var request = requests.objectXML("PUT", upload.name, body: bytes)
        request.query = [("partNumber", "\(number)"), ("uploadId", upload.id)]
        let response = try await requests.send(request)
        try requests.require(response, to: Self.uploading)
        guard let tag = response[header: "ETag"] else {
            throw ServiceError.unavailable("\(title) gives no tag for a part")
        }
        return tag
    }

    func complete(_ upload: BucketUpload, parts: [String]) async throws {
        let list = parts.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
        }
        let text = "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>"
        var request = requests.objectXML("POST", upload.name, body: Array(text.utf8))
        request.query = [("uploadId", upload.id)]
        request.headers = [("Content-Type", "application/xml")]
        let response = try await requests.send(request)
        // The first answer was lost: whoever asks again finds the upload gone and the object there.
        if response.status == 404, try await head(upload.name) != nil { return }
        _ = try requests.requireXML(
            response,
            "CompleteMultipartUploadResult",
            to: "\(Self.uploading) and storage.objects.delete"
        )
    }

    func abort(_ upload: BucketUpload) async throws {
        var request = requests.objectXML("DELETE", upload.name)
        request.query = [("uploadId", upload.id)]
        let response = try await requests.send(request)
        if response.status == 404 { return }
        try requests.require(response, to: "storage.multipartUploads.abort")
    }

    func unfinishedUploads(before time: Timestamp) async throws -> [BucketUpload] {
        var found: [BucketUpload] = []
        var marker: [(name: String, value: String)]? = []
        while let place = marker {
            var request = requests.bucketXML("GET")
            request.query = [("uploads", "")] + place
            let result = try requests.requireXML(
                try await requests.send(request, limit: 16 << 20),
                "ListMultipartUploadsResult",
                to: "storage.multipartUploads.list"
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

    private static let uploading = "storage.multipartUploads.create and storage.objects.create"
}
