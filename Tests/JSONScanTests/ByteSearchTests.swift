import Testing

import JSONScan

@Suite("Searching many bytes at a time")
struct ByteSearchTests {
    /// Every byte, at every place of texts that fill no vector, one, or several, begun at every offset.
    @Test("finds the first byte that ends plain text", arguments: [0, 1, 7, 8, 9, 15, 16, 17, 31, 40])
    func finds(count: Int) {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<max(count, 1) where count > 0 {
                var text = [UInt8](repeating: UInt8(ascii: "a"), count: count)
                text[place] = byte
                // A second one behind it must not hide the first.
                if place + 3 < count { text[place + 3] = UInt8(ascii: "\"") }
                compare(text)
            }
        }
        compare([UInt8](repeating: UInt8(ascii: "~"), count: count))
    }

    private func compare(_ text: [UInt8]) {
        for start in [0, 1, text.count / 2, text.count] where start <= text.count {
            let plain = text[start...].firstIndex { $0 == 0x22 || $0 == 0x5c || $0 < 0x20 || $0 >= 0x80 }
            let quote = text[start...].firstIndex { $0 == 0x22 || $0 == 0x5c }
            let foundPlain = ByteSearch.endOfPlainText(text.span, from: start)
            let foundQuote = ByteSearch.quoteOrBackslash(text.span, from: start)
            guard foundPlain == plain ?? text.count, foundQuote == quote ?? text.count else {
                Issue.record("\(text) from \(start): \(foundPlain), \(foundQuote)")
                return
            }
        }
    }
}
