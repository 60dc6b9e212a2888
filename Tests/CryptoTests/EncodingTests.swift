import Crypto
import Foundation
import Testing

@Suite("Hexadecimal text")
struct HexTests {
    @Test(
        "is written in lower case and read in both",
        arguments: [("", []), ("00", [0]), ("00ff10", [0, 255, 16]), ("deadbeef", [0xDE, 0xAD, 0xBE, 0xEF])]
            as [(String, [UInt8])]
    )
    func roundTrip(text: String, bytes: [UInt8]) {
        #expect(Hex.encode(bytes) == text)
        #expect(Hex.decode(text) == bytes)
        #expect(Hex.decode(text.uppercased()) == bytes)
    }

    @Test("is nothing else", arguments: ["0", "000", "0g", " 00", "00 ", "0x00", "٣٣", "０0", "0\n"])
    func refuses(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test(
        "has the published texts",
        arguments: [
            ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"),
            ("foob", "Zm9vYg==", "Zm9vYg"), ("fooba", "Zm9vYmE=", "Zm9vYmE"), ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
        ]
    )
    func published(plain: String, standard: String, url: String) {
        let bytes = Array(plain.utf8)

        #expect(Base64.encode(bytes) == standard)
        #expect(Base64.encode(bytes, .url) == url)
        #expect(Base64.decode(standard) == bytes)
        #expect(Base64.decode(url, .url) == bytes)
    }

    @Test("uses all letters of its alphabet, and only those")
    func alphabets() {
        let bytes: [UInt8] = [0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]

        #expect(Base64.encode(bytes) == "++++////")
        #expect(Base64.encode(bytes, .url) == "----____")
        #expect(Base64.decode("++++////", .url) == nil)
        #expect(Base64.decode("----____") == nil)
    }

    @Test(
        "refuses every other spelling",
        arguments: [
            "Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zm8", "Zm9vYg", "Zh==", "Zm9=", "Zg==Zg==", "Zg=a", "Z===",
            "Zm9v\n", "Zm9v\r\n", "Zm\n9v", " Zm9v", "Zm9v ", "Zm9v=", "Zm9v====", "Zm-v", "Zm_v", "Zm9\0", "Zm9é",
            "=m9v", "Z=9v", "Zm=v", "Zm==Zm9v", "ZZ==", "AAAA=", "AAA/A===",
        ]
    )
    func refuses(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("without padding refuses it", arguments: ["Zg==", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "Zm9v=", "Zm 9"])
    func refusesURL(text: String) {
        #expect(Base64.decode(text, .url) == nil)
    }

    @Test("refuses every byte that is no letter, at every place of a group")
    func everyByte() {
        let letters = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for byte in UInt8.min...UInt8.max where !letters.contains(byte) {
            for place in 0..<4 {
                var text = Array("AAAAAAAA".utf8)
                text[place] = byte
                #expect(text.withUnsafeBytes { Base64.decode($0) } == nil, "byte \(byte) at \(place)")
            }
        }
    }

    @Test("agrees with another implementation on random bytes", arguments: 0..<200)
    func agrees(count: Int) {
        let bytes = Random.bytes(count)

        let text = Base64.encode(bytes)
        var appended: [UInt8] = [1, 2]
        bytes.withUnsafeBytes { Base64.append($0, to: &appended) }

        #expect(text == Data(bytes).base64EncodedString())
        #expect(text.utf8.count == Base64.encodedCount(count))
        #expect(Base64.decode(text) == bytes)
        #expect(appended == [1, 2] + Array(text.utf8))
        let url = Base64.encode(bytes, .url)
        #expect(url.utf8.count == Base64.encodedCount(count, .url))
        #expect(Base64.decode(url, .url) == bytes)
    }

    @Test("has one spelling for every text of four letters that decodes")
    func oneSpelling() {
        let letters = Array("AQgw/+=8".utf8)
        for a in letters {
            for b in letters {
                for c in letters {
                    for d in letters {
                        let text = String(decoding: [a, b, c, d], as: UTF8.self)
                        guard let bytes = Base64.decode(text) else { continue }
                        #expect(Base64.encode(bytes) == text)
                    }
                }
            }
        }
    }
}
