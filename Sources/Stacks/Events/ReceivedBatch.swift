import Compression
import HTTPAPI
import Kernel

/// Batches that are kept as they were sent: what says that it is gzip must be.
enum ReceivedBatch {
    /// The first bytes of every gzip member.
    fileprivate static let magic: [UInt8] = [0x1f, 0x8b]

    /// The text of a batch; whether it is compressed is seen by its first bytes, as no JSON text begins so.
    static func inflated(_ body: [UInt8], limit: Int) throws -> [UInt8] {
        guard body.starts(with: magic) else { return body }
        do {
            return try Gzip.gunzip(body[...], limit: limit)
        } catch {
            throw error.serviceError
        }
    }
}

extension IncomingBody {
    /// The body as it was sent, for what is stored like that.
    ///
    /// - Throws: `.invalidArgument` for a body that is no gzip although its header says so: nobody could tell later.
    func collectBatch() async throws -> [UInt8] {
        let bytes = try await collectReceived()
        guard encoding != .gzip || bytes.starts(with: ReceivedBatch.magic) else {
            throw CompressionError.corrupt.serviceError
        }
        return bytes
    }
}
