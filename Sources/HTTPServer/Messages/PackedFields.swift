/// The header fields of a received request in the block that `CBeast` filled.
///
/// Each is: length of the name and of the value (16 bits each, native order), name, value. The parser limits the whole
/// head to 64 KiB, so 16 bits are enough.
struct PackedFields: Sendable {
    private let bytes: [UInt8]
    private let start: Int
    let count: Int

    /// - Parameter start: where the first field begins in `bytes`; what is before it belongs to others.
    init(bytes: [UInt8], start: Int, count: Int) {
        self.bytes = bytes
        self.start = start
        self.count = count
    }

    /// The first value of that name, compared without regard to ASCII case.
    func first(_ name: String) -> String? {
        var found: String?
        forEach(named: name) { value in
            found = value
            return false
        }
        return found
    }

    /// All values of that name, in order.
    func all(_ name: String) -> [String] {
        var found: [String] = []
        forEach(named: name) { value in
            found.append(value)
            return true
        }
        return found
    }

    /// Calls `visit` with each value of that name until it gives false; other fields do not become strings.
    private func forEach(named name: String, _ visit: (String) -> Bool) {
        var name = name
        name.withUTF8 { wanted in
            bytes.withUnsafeBytes { block in
                walk(block) { name, value in
                    guard Self.same(name, wanted) else { return true }
                    return visit(String(decoding: value, as: UTF8.self))
                }
            }
        }
    }

    func forEach(_ body: (String, String) -> Void) {
        bytes.withUnsafeBytes { block in
            walk(block) { name, value in
                body(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
                return true
            }
        }
    }

    /// Calls `visit` with each name and value until it gives false.
    private func walk(
        _ block: UnsafeRawBufferPointer,
        _ visit: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) {
        var position = start
        for _ in 0..<count {
            let nameLength = Int(block.loadUnaligned(fromByteOffset: position, as: UInt16.self))
            let valueLength = Int(block.loadUnaligned(fromByteOffset: position + 2, as: UInt16.self))
            let name = position + 4
            let value = name + nameLength
            position = value + valueLength
            let goOn = visit(
                UnsafeRawBufferPointer(rebasing: block[name..<value]),
                UnsafeRawBufferPointer(rebasing: block[value..<position])
            )
            if !goOn { return }
        }
    }

    private static func same(_ name: UnsafeRawBufferPointer, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count == wanted.count else { return false }
        for index in 0..<name.count where name[index] != wanted[index] {
            guard name[index].asciiLowercase == wanted[index].asciiLowercase else { return false }
        }
        return true
    }
}
