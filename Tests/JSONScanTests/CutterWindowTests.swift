import Foundation
import JSONScan
import NoiseTestKit
import Testing

@Suite("Windows of the cutter")
struct CutterWindowTests {
    private static let text = """
        {"version": 3 , "features":["a","b"],"deployment":{"manifest":{"time":"2026","magic":""},\
        "resources":[{"urn":"é\\u00e9\\"😀","n":-1.5e+10,"t":true,"f":false,"x":null} , {"a":[[],{},"",0]},{}],\
        "pending_operations":[{"resource":{"urn":"x"},"type":"creating"}],"k\\n":1.25,"metadata":{}}, "z":[1,2]}
        """

    @Test("do not matter: every cut into two gives the same")
    func everySplit() throws {
        let text = bytes(Self.text)
        let expected = try Cutter.cut(text, as: .document)

        for border in 0...text.count {
            let cuts = try cutInSteps(text, .document) { index in index == 0 ? max(border, 1) : text.count }
            #expect(cuts == expected, "window border \(border)")
        }
    }

    @Test("do not matter down to single bytes and empty windows")
    func singleBytes() throws {
        let text = bytes(Self.text)
        var cutter = Cutter(.document)
        var cuts: [Cut] = []
        for byte in text {
            try cutter.feed([], into: &cuts)
            try cutter.feed([byte], into: &cuts)
        }
        try cutter.finish()

        #expect(cuts == (try Cutter.cut(text, as: .document)))
    }

    @Test("of random sizes give what one window gives, error or not")
    func randomWindows() {
        for seed in 0..<400 as Range<UInt64> {
            var noise = Noise(seed: seed)
            var text = Array(Self.text.utf8)
            if seed % 2 == 1 { mutate(&text, &noise) }
            let whole = Result { () throws(ScanError) in try Cutter.cut(text[...], as: .document) }

            let parts = Result { () throws(ScanError) in
                try cutInSteps(text[...], .document) { _ in Int.random(in: 1...40, using: &noise) }
            }

            switch (whole, parts) {
            case (.success(let left), .success(let right)): #expect(left == right, "seed \(seed)")
            case (.failure(let left), .failure(let right)): #expect(left == right, "seed \(seed)")
            default: Issue.record("seed \(seed): \(whole) in one window, \(parts) in many")
            }
        }
    }

    @Test("of mutated text are judged like Foundation's parser judges them")
    func differential() {
        var refused = 0
        for seed in 0..<1_500 as Range<UInt64> {
            var noise = Noise(seed: seed)
            var text = Array(Self.text.utf8)
            mutate(&text, &noise)
            let cuts = try? Cutter.cut(text[...], as: .document)
            let tree = try? JSONSerialization.jsonObject(with: Data(text))

            refused += cuts == nil ? 1 : 0
            if Self.isComparable(text) {
                #expect(
                    (cuts != nil) == (tree is [String: Any]),
                    "seed \(seed): \(String(decoding: text, as: UTF8.self))"
                )
            }
        }
        #expect(refused > 100)
    }

    /// Foundation differs by design: it refuses lone surrogates, and takes a comma before a closing bracket.
    private static func isComparable(_ text: [UInt8]) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        let compact = string.filter { !$0.isWhitespace }
        guard !compact.contains(",]"), !compact.contains(",}") else { return false }
        return !string.contains("\\ud") && !string.contains("\\uD") && text.first == UInt8(ascii: "{")
    }

    private func mutate(_ text: inout [UInt8], _ noise: inout Noise) {
        for _ in 0..<Int.random(in: 1...3, using: &noise) {
            let index = Int.random(in: 0..<text.count, using: &noise)
            switch Int.random(in: 0..<4, using: &noise) {
            case 0: text[index] = UInt8.random(in: 0...255, using: &noise)
            case 1: text.remove(at: index)
            case 2: text.insert("{}[],:\"\\0e1 ".utf8.randomElement(using: &noise) ?? 0, at: index)
            default: text.swapAt(index, Int.random(in: 0..<text.count, using: &noise))
            }
        }
    }
}
