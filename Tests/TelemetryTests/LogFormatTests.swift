import Foundation
import Kernel
import Telemetry
import Testing

@Suite("Lines of the log")
struct LogFormatTests {
    private func line(_ format: LogFormat, _ message: String, _ fields: [LogField] = []) -> String {
        let entry = LogEntry(
            time: Timestamp(microseconds: 1_795_612_218_000_250),
            level: .notice,
            message: message,
            fields: fields
        )
        return String(decoding: format.line(entry), as: UTF8.self)
    }

    @Test("are objects for programs")
    func json() {
        let fields = [
            LogField("text", "a\"b\\c"), LogField("count", -3), LogField("ratio", 0.25), LogField("flag", false),
            LogField("odd", .number(.nan)), LogField("time", "mine"), LogField("empty", ""),
        ]

        #expect(
            line(.json, "it happened", fields) == #"""
                {"time":"2026-11-25T13:10:18.000250Z","level":"notice","message":"it happened","text":"a\"b\\c",\#
                "count":-3,"ratio":0.25,"flag":false,"odd":"nan","time_":"mine","empty":""}

                """#
        )
    }

    @Test("are columns and pairs for people")
    func text() {
        let fields = [
            LogField("path", "/api/stacks"), LogField("name", "a b"), LogField("quote", "x=\"y\""),
            LogField("count", 3), LogField("empty", ""), LogField("odd", .number(.infinity)),
        ]

        #expect(
            line(.text, "say \"hi\"", fields) == #"""
                2026-11-25T13:10:18.000250Z notice  say "hi" path=/api/stacks name="a b" quote="x=\"y\"" count=3 \#
                empty="" odd="inf"

                """#
        )
    }

    @Test(
        "stay one line and printable whatever is in them",
        arguments: [
            ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{1B}[31mred", #"\u001b[31mred"#),
            ("\0\u{7F}\u{85}", #"\u0000\u007f\u0085"#),
            ("\u{202E}abc\u{2066}", #"\u202eabc\u2066"#), ("a\u{2028}b\u{2029}c", #"a\u2028b\u2029c"#),
            ("zero\u{200B}\u{FEFF}width", #"zero\u200b\ufeffwidth"#), ("\u{E0041}", #"\udb40\udc41"#),
            ("käse 🧀 ok", "käse 🧀 ok"), ("soft\u{AD}", #"soft\u00ad"#),
        ]
    )
    func escapes(text: String, written: String) throws {
        let json = line(.json, text, [LogField("field", .text(text))])
        let plain = line(.text, text, [LogField("field", .text(text))])

        #expect(json.contains("\"message\":\"\(written)\",\"field\":\"\(written)\"}"))
        #expect(plain.hasSuffix("notice  \(written) field=\"\(written)\"\n"))
        #expect(json.unicodeScalars.filter { $0 == "\n" }.count == 1)
        #expect(plain.unicodeScalars.filter { $0 == "\n" }.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
        #expect(object?["field"] == text)
    }

    @Test(
        "cut long values between two letters",
        arguments: [
            (String(repeating: "a", count: 4096), 4096, false), (String(repeating: "a", count: 4097), 4096, true),
            (String(repeating: "€", count: 2000), 4095, true), (String(repeating: "🧀", count: 1025), 4096, true),
            (String(repeating: "\n", count: 5000), 4096, true),
        ]
    )
    func cuts(text: String, kept: Int, isCut: Bool) throws {
        let json = line(.json, "m", [LogField("field", .text(text))])

        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
        let value = try #require(object?["field"])
        let start = String(decoding: Array(text.utf8).prefix(kept), as: UTF8.self)
        #expect(value == (isCut ? "\(start)... (cut, \(text.utf8.count) bytes)" : text))
    }

    @Test("parse, and are as many as the entries, for 2,000 random texts")
    func random() throws {
        var generator = SystemRandomNumberGenerator()

        for _ in 0..<2000 {
            let scalars = (0..<Int.random(in: 0...40, using: &generator)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x2100, using: &generator))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            let json = line(.json, text, [LogField("field", .text(text))])
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
            #expect(object?["message"] == text && object?["field"] == text)
            #expect(json.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        }
    }
}
