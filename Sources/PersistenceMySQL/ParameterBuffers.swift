import CMariaDB
import Persistence

/// The values of one execution, laid out as the client library takes them.
///
/// Texts and bytes are copied into one piece of memory that lives as long as this object.
final class ParameterBuffers {
    private let bindings: UnsafeMutableBufferPointer<MYSQL_BIND>
    private let storage: UnsafeMutableRawBufferPointer

    /// At least the bytes of the message that carries the values.
    let messageSize: Int
    /// The type of each value, `MYSQL_TYPE_NULL` for those without one.
    var types: [enum_field_types] { bindings.map(\.buffer_type) }

    init(_ values: [SQLValue]) {
        let size = values.reduce(0) { $0 + Self.size($1) }
        bindings = .allocate(capacity: values.count)
        bindings.initialize(repeating: MYSQL_BIND())
        storage = .allocate(byteCount: size, alignment: 8)
        // Per value: type, null bit and up to 9 bytes of length; in front of them a header.
        messageSize = size + values.count * 12 + 32
        var offset = 0
        for (index, value) in values.enumerated() {
            bind(value, at: index, offset: &offset)
        }
    }

    deinit {
        bindings.deallocate()
        storage.deallocate()
    }

    func withBindings<Result>(_ body: (UnsafeMutablePointer<MYSQL_BIND>?) -> Result) -> Result {
        body(bindings.baseAddress)
    }

    /// Rounded up to keep the integers aligned.
    private static func size(_ value: SQLValue) -> Int {
        switch value {
        case .null: 0
        case .integer: 8
        case .text(let text): (text.utf8.count + 7) & ~7
        case .bytes(let bytes): (bytes.count + 7) & ~7
        }
    }

    private func bind(_ value: SQLValue, at index: Int, offset: inout Int) {
        let room = UnsafeMutableRawBufferPointer(rebasing: storage[offset...])
        let used: Int
        switch value {
        case .null:
            bindings[index].buffer_type = MYSQL_TYPE_NULL
            return
        case .integer(let number):
            room.storeBytes(of: number, as: Int64.self)
            bindings[index].buffer_type = MYSQL_TYPE_LONGLONG
            used = 8
        case .text(var text):
            used = text.withUTF8 {
                room.copyMemory(from: UnsafeRawBufferPointer($0)); return $0.count
            }
            bindings[index].buffer_type = MYSQL_TYPE_STRING
        case .bytes(let bytes):
            used = bytes.withUnsafeBytes {
                room.copyMemory(from: $0); return $0.count
            }
            bindings[index].buffer_type = MYSQL_TYPE_BLOB
        }
        bindings[index].buffer = room.baseAddress ?? UnsafeMutableRawPointer(bindings.baseAddress)
        bindings[index].buffer_length = UInt(used)
        // Where no pointer to a length is given the library takes the one in the binding.
        bindings[index].length_value = UInt(used)
        offset += Self.size(value)
    }
}
