import Contract
import NoiseTestKit

extension Noise {
    mutating func string() -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...12, using: &self) {
            let ranges: [ClosedRange<UInt32>] = [
                0...0x1F, 0x20...0x7F, 0x22...0x22, 0x5C...0x5C, 0x80...0xD7FF, 0xE000...0x10FFFF,
            ]
            let range = ranges.randomElement(using: &self) ?? 0x20...0x7F
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &self)) { text.append(scalar) }
        }
        return String(text)
    }

    mutating func value(depth: Int = 0) -> JSONValue {
        switch Int.random(in: 0...(depth < 5 ? 7 : 4), using: &self) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &self))
        case 2: return .number(String(Int.random(in: .min ... .max, using: &self)))
        case 3: return .number("\(Double.random(in: -1e9...1e9, using: &self))")
        case 4: return .string(string())
        case 5:
            return .array((0..<Int.random(in: 0...5, using: &self)).map { _ in value(depth: depth + 1) })
        default:
            let count = Int.random(in: 0...20, using: &self)
            return .object(JSONObject((0..<count).map { _ in (string(), value(depth: depth + 1)) }))
        }
    }
}
