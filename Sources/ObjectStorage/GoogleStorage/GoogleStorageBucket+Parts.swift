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
    static let partPermissions = PartPermissions(
        upload: uploading,
        complete: "\(uploading) and storage.objects.delete",
        abort: "storage.multipartUploads.abort",
        list: "storage.multipartUploads.list"
    )

    private static let uploading = "storage.multipartUploads.create and storage.objects.create"

    func storing(_ digest: Digest?) -> [(name: String, value: String)] {
        [("Content-Type", Self.contentType)] + (digest.map { [(Self.digestHeader, $0.hex)] } ?? [])
    }

    func send(_ part: PartRequest) async throws -> TransferResponse {
        var request =
            part.name.map { requests.objectXML(part.method, $0, body: part.body) } ?? requests.bucketXML(part.method)
        request.query = part.query
        request.headers = part.headers
        return try await requests.send(request, limit: part.limit ?? GoogleStorageRequests.usualLimit)
    }

    func require(_ response: TransferResponse, to permission: String) throws {
        try requests.require(response, to: permission)
    }

    func requireXML(_ response: TransferResponse, _ root: String, to permission: String) throws -> XMLElement {
        try requests.requireXML(response, root, to: permission)
    }
}
