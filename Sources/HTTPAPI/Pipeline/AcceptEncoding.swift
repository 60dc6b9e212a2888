/// What a client says about compressed answers (RFC 9110 §12.5.3).
enum AcceptEncoding {
    /// Whether `gzip` may be used: named, or covered by `*`, with a weight above zero.
    static func takesGzip(_ header: String?) -> Bool {
        guard let header else { return false }
        var wildcard = false
        for item in header.utf8.split(separator: UInt8(ascii: ",")) {
            let parts = item.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(trimmed)
            guard let coding = parts.first else { continue }
            let isAccepted = parts.dropFirst().allSatisfy { !isZeroWeight($0) }
            if equals(coding, "gzip") || equals(coding, "x-gzip") { return isAccepted }
            if equals(coding, "*") { wildcard = isAccepted }
        }
        return wildcard
    }

    /// `q=0`, `q=0.0`, `q=0.000`; a weight that is none counts as zero as well.
    private static func isZeroWeight(_ parameter: Substring.UTF8View) -> Bool {
        guard let name = parameter.first, name | 0x20 == UInt8(ascii: "q") else { return false }
        let rest = trimmed(parameter.dropFirst())
        guard rest.first == UInt8(ascii: "=") else { return false }
        let digits = trimmed(rest.dropFirst())
        return !digits.contains { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }

    private static func equals(_ text: Substring.UTF8View, _ name: StaticString) -> Bool {
        text.count == name.utf8CodeUnitCount
            && name.withUTF8Buffer { name in
                zip(text, name).allSatisfy { $0 == $1 || ((65...90).contains($0) && $0 | 0x20 == $1) }
            }
    }
}
