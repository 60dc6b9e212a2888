import Contract
import Foundation
import NoiseTestKit
import Testing

@Suite("Bytes as base64")
struct Base64BytesTests {
    @Test("agrees with Foundation in both directions", arguments: 0..<70)
    func agrees(count: Int) {
        var generator = Noise(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }

        let text = Base64Bytes(bytes).base64

        #expect(text == Data(bytes).base64EncodedString())
        #expect(Base64Bytes(base64: text)?.bytes == bytes)
    }

    @Test(
        "refuses every spelling but the standard one",
        arguments: [
            "A", "AA", "AAA", "AA=", "AA=A", "A===", "====", "=", "AA==AAAA", "AAAA====", "AA-_", "AA AA===", "AAAA\n",
            "AB==", "AAB=", "éé==", "AA==\n",
        ]
    )
    func refuses(text: String) {
        #expect(Base64Bytes(base64: text) == nil)
    }

    @Test("is read and written as a string")
    func codes() throws {
        let read = try Base64Bytes(wire: .string("AAEC"), at: .root)
        #expect(read.bytes == [0, 1, 2])

        var json = JSONWriter()
        read.write(to: &json)
        #expect(json.bytes == Array(#""AAEC""#.utf8))

        #expect(throws: WireError("key", "takes a base64 string, found another string")) {
            try Base64Bytes(wire: .string("AAE"), at: .field("key", in: .root))
        }
        #expect(throws: WireError("body", "takes a base64 string, found a number")) {
            try Base64Bytes(wire: .number("1"), at: .root)
        }
    }
}
