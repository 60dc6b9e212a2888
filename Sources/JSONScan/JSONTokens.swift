/// A JSON text as a flat row of tokens, for walks that must stay linear however deep the text is.
///
/// For text that a `Cutter` has checked; other text may give nonsense or end early, but is never read out of bounds.
package struct JSONTokens: Sequence, IteratorProtocol {
    package enum Token: Sendable, Equatable {
        case objectBegan, objectEnded, arrayBegan, arrayEnded
        /// A key with its quotes.
        case key(Range<Int>)
        /// A string with its quotes.
        case string(Range<Int>)
        /// A number, `true`, `false` or `null`.
        case scalar(Range<Int>)
    }

    private let text: ArraySlice<UInt8>
    private var index = 0

    package init(of text: ArraySlice<UInt8>) {
        self.text = text
    }

    package mutating func next() -> Token? {
        let text = text
        let bytes = text.span
        let base = text.startIndex
        while index < bytes.count {
            let start = index
            index += 1
            switch bytes[start] {
            case UInt8(ascii: "{"): return .objectBegan
            case UInt8(ascii: "}"): return .objectEnded
            case UInt8(ascii: "["): return .arrayBegan
            case UInt8(ascii: "]"): return .arrayEnded
            case UInt8(ascii: "\""):
                index = Swift.min(JSONSkip.stringEnd(bytes, start + 1) + 1, bytes.count)
                let range = (base + start)..<(base + index)
                let behind = JSONSkip.whitespace(bytes, index)
                guard behind < bytes.count, bytes[behind] == UInt8(ascii: ":") else { return .string(range) }
                index = behind + 1
                return .key(range)
            case 0...0x20, UInt8(ascii: ","), UInt8(ascii: ":"):
                continue
            default:
                index = Swift.max(index, JSONSkip.value(bytes, start))
                return .scalar((base + start)..<(base + index))
            }
        }
        return nil
    }
}
