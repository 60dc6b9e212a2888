extension Settings {
    /// A text, as it is.
    package func string(_ name: String) -> String? {
        read(name, takes: "text") { $0 }
    }

    package func string(_ name: String, default fallback: String) -> String {
        read(name, takes: "text", fallback: fallback) { $0 } ?? fallback
    }

    /// A whole number within the range, in decimal digits.
    package func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        integer(name, in: range, fallback: nil)
    }

    package func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        integer(name, in: range, fallback: String(fallback)) ?? fallback
    }

    private func integer(_ name: String, in range: ClosedRange<Int>, fallback: String?) -> Int? {
        let takes = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return read(name, takes: takes, fallback: fallback) { text in
            Int(trimmed(text)).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A time such as `90s`, `1h30m` or `250ms`, within the range; units are `ms`, `s`, `m`, `h` and `d`.
    package func duration(_ name: String, in range: ClosedRange<Duration>) -> Duration? {
        duration(name, in: range, fallback: nil)
    }

    package func duration(_ name: String, in range: ClosedRange<Duration>, default fallback: Duration) -> Duration {
        duration(name, in: range, fallback: DurationText.write(fallback)) ?? fallback
    }

    private func duration(_ name: String, in range: ClosedRange<Duration>, fallback: String?) -> Duration? {
        let limits = "\(DurationText.write(range.lowerBound)) to \(DurationText.write(range.upperBound))"
        return read(name, takes: "a time from \(limits), such as 90s or 1h30m", fallback: fallback) { text in
            DurationText.read(trimmed(text)).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A URL with one of the schemes and a host; a password in it is never shown.
    package func url(_ name: String, schemes: [String]) -> String? {
        let takes = "a URL that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
        return read(name, takes: takes, shown: withoutPassword) { text in
            let text = trimmed(text)
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), text[colon...].hasPrefix("://"),
                schemes.contains(text[..<colon].lowercased()),
                text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
            else { return nil }
            let authority = text[colon...].dropFirst(3).prefix { !"/?#".contains($0) }
            let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
            return host.isEmpty || host.hasPrefix(":") ? nil : text
        }
    }

    /// One word of a list, in any case; answered as the list has it.
    package func choice(_ name: String, of words: [String]) -> String? {
        choice(name, of: words, fallback: nil)
    }

    package func choice(_ name: String, of words: [String], default fallback: String) -> String {
        choice(name, of: words, fallback: fallback) ?? fallback
    }

    private func choice(_ name: String, of words: [String], fallback: String?) -> String? {
        read(name, takes: "one of \(words.joined(separator: ", "))", fallback: fallback) { text in
            let text = trimmed(text).lowercased()
            return words.first { $0.lowercased() == text }
        }
    }

    /// A switch: `true`, `false`, `1` or `0`, in any case.
    ///
    /// Nothing else, because "no" read as yes has hurt people (`spec/self-hosting.md` §1.1).
    package func flag(_ name: String) -> Bool? {
        flag(name, fallback: nil)
    }

    package func flag(_ name: String, default fallback: Bool) -> Bool {
        flag(name, fallback: String(fallback)) ?? fallback
    }

    private func flag(_ name: String, fallback: String?) -> Bool? {
        read(name, takes: "true, false, 1 or 0", fallback: fallback) { text in
            switch trimmed(text).lowercased() {
            case "true", "1": true
            case "false", "0": false
            default: nil
            }
        }
    }

    /// A text that is never shown.
    package func secret(_ name: String) -> Redacted<String>? {
        read(name, takes: "text", shown: { _ in nil }, parse: { Redacted($0) })
    }

    /// A server as `host`, `host:port`, `[v6]` or `[v6]:port`.
    ///
    /// `http://` or `https://` in front and `/` behind are taken off with a warning: people write them by habit.
    package func hostAndPort(_ name: String) -> HostAndPort? {
        hostAndPort(name, fallback: nil)
    }

    package func hostAndPort(_ name: String, default fallback: HostAndPort) -> HostAndPort {
        hostAndPort(name, fallback: fallback.description) ?? fallback
    }

    private func hostAndPort(_ name: String, fallback: String?) -> HostAndPort? {
        read(name, takes: "host or host:port (an IPv6 address in brackets)", fallback: fallback) { text in
            let text = trimmed(text)
            var bare = Substring(text)
            for scheme in ["https://", "http://"] where bare.lowercased().hasPrefix(scheme) {
                bare = bare.dropFirst(scheme.count)
                if bare.last == "/" { bare = bare.dropLast() }
            }
            guard let value = HostAndPort(bare) else { return nil }
            if bare.count != text.count { warn(name, "takes host[:port] without a scheme; read as \(value)") }
            return value
        }
    }
}

/// The text without the blanks and line ends that env files and mounted secrets tend to add.
func trimmed(_ text: String) -> String {
    let kept = text.drop { $0.isWhitespace }
    guard let last = kept.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(kept[...last])
}

/// The URL with what stands before its `@` left out.
func withoutPassword(_ url: String) -> String {
    let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
    let end = url[start...].firstIndex { "/?#".contains($0) } ?? url.endIndex
    guard let at = url[start..<end].lastIndex(of: "@") else { return url }
    return "\(url[..<start])[redacted]\(url[at...])"
}
