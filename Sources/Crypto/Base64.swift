/// Base64 (RFC 4648), in one spelling only: what decodes encodes to the same text again.
///
/// Texts from clients are compared and stored as they were sent, so two spellings of the same bytes must not both be
/// good: padding is complete, unused bits are zero, and there are no line ends, blanks or letters of the other alphabet.
package enum Base64 {
    /// Which letters, and whether `=` fills the last group.
    package enum Alphabet: Sendable {
        /// `+`, `/` and padding (RFC 4648 §4).
        case standard
        /// `-`, `_` and no padding (RFC 4648 §5).
        case url
    }

    /// How many letters so many bytes become.
    package static func encodedCount(_ count: Int, _ alphabet: Alphabet = .standard) -> Int {
        alphabet == .standard ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3
    }

    package static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard) -> String {
        String(unsafeUninitializedCapacity: encodedCount(bytes.count, alphabet)) { output in
            bytes.withUnsafeBytes { write($0, alphabet, into: output) }
        }
    }

    /// Appends the letters to a text that is being written, such as a JSON body.
    package static func append(
        _ bytes: UnsafeRawBufferPointer,
        to output: inout [UInt8],
        _ alphabet: Alphabet = .standard
    ) {
        let count = encodedCount(bytes.count, alphabet)
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: count))
        output.withUnsafeMutableBufferPointer { output in
            _ = write(bytes, alphabet, into: UnsafeMutableBufferPointer(rebasing: output[start...]))
        }
    }

    package static func decode(_ text: String, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        var text = text
        return text.withUTF8 { decode(UnsafeRawBufferPointer($0), alphabet) }
    }

    /// Reads letters that lie in a larger text; nil for anything but the one spelling.
    package static func decode(_ letters: UnsafeRawBufferPointer, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        guard let count = decodedCount(letters, alphabet) else { return nil }
        var isGood = false
        let result = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            isGood = read(letters, alphabet, into: output)
            filled = count
        }
        return isGood ? result : nil
    }

    // MARK: - Writing

    /// Writes all letters; the answer is how many.
    private static func write(
        _ bytes: UnsafeRawBufferPointer,
        _ alphabet: Alphabet,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let letters = alphabet == .standard ? standardLetters : urlLetters
        return letters.withUnsafeBufferPointer { letters in
            var input = 0
            var position = 0
            while input + 3 <= bytes.count {
                let group = Int(bytes[input]) << 16 | Int(bytes[input + 1]) << 8 | Int(bytes[input + 2])
                output[position] = letters[group >> 18]
                output[position + 1] = letters[group >> 12 & 63]
                output[position + 2] = letters[group >> 6 & 63]
                output[position + 3] = letters[group & 63]
                input += 3
                position += 4
            }
            let left = bytes.count - input
            guard left > 0 else { return position }
            let group = Int(bytes[input]) << 16 | (left == 2 ? Int(bytes[input + 1]) << 8 : 0)
            output[position] = letters[group >> 18]
            output[position + 1] = letters[group >> 12 & 63]
            position += 2
            if left == 2 {
                output[position] = letters[group >> 6 & 63]
                position += 1
            }
            guard alphabet == .standard else { return position }
            for _ in left..<3 {
                output[position] = UInt8(ascii: "=")
                position += 1
            }
            return position
        }
    }

    // MARK: - Reading

    /// How many bytes the letters can hold, by their number and padding; nil when no bytes have such a text.
    private static func decodedCount(_ letters: UnsafeRawBufferPointer, _ alphabet: Alphabet) -> Int? {
        let rest = letters.count % 4
        switch alphabet {
        case .url:
            return rest == 1 ? nil : letters.count / 4 * 3 + (rest == 0 ? 0 : rest - 1)
        case .standard:
            return rest == 0 ? letters.count / 4 * 3 - padding(of: letters) : nil
        }
    }

    private static func padding(of letters: UnsafeRawBufferPointer) -> Int {
        guard letters.count >= 4, letters[letters.count - 1] == UInt8(ascii: "=") else { return 0 }
        return letters[letters.count - 2] == UInt8(ascii: "=") ? 2 : 1
    }

    private static func read(
        _ letters: UnsafeRawBufferPointer,
        _ alphabet: Alphabet,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        let values = alphabet == .standard ? standardValues : urlValues
        let count = letters.count - (alphabet == .standard ? padding(of: letters) : 0)
        return values.withUnsafeBufferPointer { values in
            var wrong: UInt8 = 0
            var input = 0
            var position = 0
            while input + 4 <= count {
                let (a, b) = (values[Int(letters[input])], values[Int(letters[input + 1])])
                let (c, d) = (values[Int(letters[input + 2])], values[Int(letters[input + 3])])
                wrong |= a | b | c | d
                output[position] = a << 2 | b >> 4 & 3
                output[position + 1] = b << 4 | c >> 2 & 15
                output[position + 2] = c << 6 | d & 63
                input += 4
                position += 3
            }
            let left = count - input
            guard left > 0 else { return wrong & invalid == 0 }
            let (a, b) = (values[Int(letters[input])], values[Int(letters[input + 1])])
            let c = left == 3 ? values[Int(letters[input + 2])] : 0
            wrong |= a | b | c
            output[position] = a << 2 | b >> 4 & 3
            if left == 3 { output[position + 1] = b << 4 | c >> 2 & 15 }
            let unused = left == 3 ? c & 3 : b & 15
            return wrong & invalid == 0 && unused == 0
        }
    }

    /// Set in the value of every byte that is no letter.
    private static let invalid: UInt8 = 0x80

    private static let standardLetters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlLetters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let standardValues = values(of: standardLetters)
    private static let urlValues = values(of: urlLetters)

    private static func values(of letters: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }
}
