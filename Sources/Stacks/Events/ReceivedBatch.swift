import Compression
import Kernel

/// Batches that are kept as they were sent.
enum ReceivedBatch {
    /// The text of a batch; whether it is compressed is seen by its first bytes, as no JSON text begins so.
    static func inflated(_ body: [UInt8], limit: Int) throws -> [UInt8] {
        guard body.starts(with: [0x1f, 0x8b]) else { return body }
        do {
            return try Gzip.gunzip(body[...], limit: limit)
        } catch {
            throw error.serviceError
        }
    }
}
