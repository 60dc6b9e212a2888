import Crypto
import Persistence

/// The rows of a table in three numbers: two tables with the same sum hold the same rows.
///
/// The digests of the rows are added, so their order does not count. It differs between the engines: to MySQL trailing
/// spaces are nothing, and a text with a control character comes before the one that ends there.
package struct TableSum: Sendable, Equatable {
    package private(set) var rows = 0
    /// Of the values.
    package private(set) var bytes = 0
    /// Bytes of the largest row.
    package private(set) var largest = 0
    private var digest = SIMD4<UInt64>()

    package init() {}

    mutating func add(_ values: [SQLValue], size: Int) {
        rows += 1
        bytes += size
        largest = max(largest, size)
        SHA256.hash(Self.encoding(values, size: size)).withUnsafeBytes { words in
            for lane in 0..<4 { digest[lane] &+= words.loadUnaligned(fromByteOffset: lane * 8, as: UInt64.self) }
        }
    }

    mutating func add(_ other: TableSum) {
        rows += other.rows
        bytes += other.bytes
        largest = max(largest, other.largest)
        digest &+= other.digest
    }

    /// Each value with its type and length, so that no two rows have the same bytes.
    private static func encoding(_ values: [SQLValue], size: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(size + 9 * values.count)
        func begin(_ type: UInt8, _ count: Int) {
            result.append(type)
            withUnsafeBytes(of: UInt64(count).littleEndian) { result.append(contentsOf: $0) }
        }
        for value in values {
            switch value {
            case .null:
                begin(0, 0)
            case .integer(let number):
                begin(1, 8)
                withUnsafeBytes(of: number.littleEndian) { result.append(contentsOf: $0) }
            case .text(let text):
                begin(2, text.utf8.count)
                result.append(contentsOf: text.utf8)
            case .bytes(let bytes):
                begin(3, bytes.count)
                result.append(contentsOf: bytes)
            }
        }
        return result
    }
}
