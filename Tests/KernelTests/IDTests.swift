import Kernel
import Testing

@Suite("Ids")
struct IDTests {
    private typealias UserID = ID<Entity.User>

    @Test("are read from UUID text in either case, and shown in lower case")
    func areRead() throws {
        for text in ["0190b5a2-7f3c-7def-8abc-0123456789ab", "ffffffff-ffff-ffff-ffff-ffffffffffff"] {
            #expect(UserID(text)?.description == text)
            #expect(UserID(text.uppercased())?.description == text)
        }
    }

    @Test(
        "are nothing else",
        arguments: ["", "0190b5a2-7f3c-7def-8abc-0123456789a", "0190b5a2-7f3c-7def-8abc-0123456789abc"]
    )
    func areNothingElse(text: String) {
        #expect(UserID(text) == nil)
    }

    @Test("have hexadecimal digits in 32 places and dashes in 4, whatever byte is tried", arguments: 0..<36)
    func tryEveryByte(place: Int) throws {
        let sample = Array("0190b5a2-7f3c-7def-8abc-0123456789ab".utf8)
        let digits = Array("0123456789abcdef".utf8)

        for byte in UInt8.min...UInt8.max {
            var bytes = sample
            bytes[place] = byte
            let id = UserID(bytes.span)

            let lower = (65...70).contains(byte) ? byte | 0x20 : byte
            let isRight = sample[place] == 45 ? byte == 45 : digits.contains(lower)
            #expect((id != nil) == isRight, "\(byte)")
            bytes[place] = lower
            if let id { #expect(id.description == String(decoding: bytes, as: UTF8.self)) }
        }
    }
}
