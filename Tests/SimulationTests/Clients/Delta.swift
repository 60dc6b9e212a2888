import Crypto

/// Differences between two texts, as the CLI sends them.
enum Delta {
    static func body(from old: [UInt8], to new: [UInt8], sequence: Int) -> String {
        var start = 0
        while start < old.count, start < new.count, old[start] == new[start] { start += 1 }
        var end = 0
        while end < old.count - start, end < new.count - start, old[old.count - 1 - end] == new[new.count - 1 - end] {
            end += 1
        }
        let text = String(decoding: new[start..<(new.count - end)], as: UTF8.self)
        let escaped = text.replacing("\"", with: "\\\"")
        let edit = """
            {"Span":{"start":\(point(start)),"end":\(point(old.count - end))},"NewText":"\(escaped)"}
            """
        let edits = old == new ? "" : edit
        return """
            {"version":3,"checkpointHash":"\(SHA256.hash(new).hex)","sequenceNumber":\(sequence),\
            "deploymentDelta":[\(edits)]}
            """
    }

    private static func point(_ offset: Int) -> String {
        #"{"line":0,"column":0,"offset":\#(offset)}"#
    }
}
