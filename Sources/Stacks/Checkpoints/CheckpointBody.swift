import JSONScan
import Kernel
package import StateStore

/// The three bodies in which clients without a journal save state (`spec/cli-protocol.md` §11), cut from the bytes as
/// they came.
package enum CheckpointBody: Sendable {
    /// A whole state; nil for the "invalidate" call of old clients, which keeps the last good one.
    case plain(StateDocument?)
    /// A whole state whose exact text the next delta refers to.
    case verbatim(text: ArraySlice<UInt8>, resourceCount: Int, sequence: Int)
    case delta(CheckpointDelta)

    /// Reads a plain checkpoint.
    package static func plain(_ body: [UInt8]) throws -> CheckpointBody {
        do {
            let isInvalid = JSONMembers(of: body[...]).contains { member in
                body[member.key].elementsEqual("isInvalid".utf8) && body[member.value].elementsEqual("true".utf8)
            }
            if isInvalid { return .plain(nil) }
            var document = try StateDocument(reading: body[...])
            document.others = []
            return .plain(document)
        } catch {
            throw error.serviceError
        }
    }

    /// Reads a verbatim checkpoint: the state's text is what stands between the brackets, to the byte.
    package static func verbatim(_ body: [UInt8]) throws -> CheckpointBody {
        let cuts = try cuts(of: body, as: .verbatim)
        var start: Int?
        var end: Int?
        var sequence: Int?
        for cut in cuts {
            switch cut {
            case .opened(.document, let offset): start = offset
            case .closed(.document, let position): end = position
            case .member(.verbatim, "sequenceNumber", let value, _):
                sequence = JSONScalar.integer(value).map { Int($0) }
            default: continue
            }
        }
        guard let start, let end else { throw ServiceError.missing("untypedDeployment") }
        guard let sequence else { throw ServiceError.missing("sequenceNumber") }
        let text = body[start..<end]
        do {
            let count = try StateDocument(reading: text).resourceCount
            return .verbatim(text: text, resourceCount: count, sequence: sequence)
        } catch {
            throw error.serviceError
        }
    }

    /// Reads a delta.
    package static func delta(_ body: [UInt8]) throws -> CheckpointBody {
        do {
            return .delta(try CheckpointDelta(body: body[...]))
        } catch {
            throw error.serviceError
        }
    }

    private static func cuts(of body: [UInt8], as part: Part) throws -> [Cut] {
        do {
            return try Cutter.cut(body[...], as: part)
        } catch {
            throw error.serviceError
        }
    }
}
