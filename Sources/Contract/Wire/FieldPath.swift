/// Where a value stands in a request: `tags.name`, `stacks[3].id`.
///
/// A path grows only when decoding goes down into an object or a list, and is spelled out only when something is wrong.
package indirect enum FieldPath: Sendable {
    case root
    case field(String, in: FieldPath)
    case index(Int, in: FieldPath)

    /// The path of a member of the object that stands here.
    package func appending(_ name: String) -> FieldPath {
        .field(name, in: self)
    }

    /// The path of an element of the list that stands here.
    package func appending(_ index: Int) -> FieldPath {
        .index(index, in: self)
    }
}

extension FieldPath: CustomStringConvertible {
    /// The name of the whole body, for messages about it.
    package static let wholeBody = "body"

    /// The longest name that is shown in full.
    ///
    /// Names in maps come from the client and may be of any length.
    private static let longestName = 100

    package var description: String {
        var steps: [FieldPath] = []
        var step = self
        while true {
            switch step {
            case .root:
                return steps.isEmpty ? Self.wholeBody : Self.spell(steps.reversed())
            case .field(_, let parent), .index(_, let parent):
                steps.append(step)
                step = parent
            }
        }
    }

    private static func spell(_ steps: [FieldPath]) -> String {
        var text = ""
        for step in steps {
            switch step {
            case .root:
                break
            case .index(let index, _):
                text += text.isEmpty ? "\(wholeBody)[\(index)]" : "[\(index)]"
            case .field(let name, _):
                if !isPlain(name) {
                    text += "[\"\(name.prefix(longestName))\"]"
                } else if text.isEmpty {
                    text = name
                } else {
                    text += ".\(name)"
                }
            }
        }
        return text
    }

    private static func isPlain(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= longestName else { return false }
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"):
                continue
            default:
                return false
            }
        }
        return true
    }
}
