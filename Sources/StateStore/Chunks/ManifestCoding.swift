import Compression

// The stored form of a manifest: `CM`, a format version, the parts in order, and a CRC-32 of all that and of what the
// row is called, so that the manifest of another row is not taken for its own. Numbers are LEB128; a chunk takes about
// 80 bytes. The checksum of the first format does not cover the row.

extension Manifest {
    private static let signature: [UInt8] = [0x43, 0x4d, 2]

    private static let firstSignature: [UInt8] = [0x43, 0x4d, 1]

    /// The stored form.
    ///
    /// - Parameter row: what tells the row from all others.
    package func encoded(for row: [UInt8]) -> [UInt8] {
        var output = ManifestWriter(bytes: Self.signature)
        output.number(summary.version)
        output.number(summary.features.count)
        for feature in summary.features { output.text(Array(feature.utf8)) }
        output.number(summary.hasDeployment ? 1 : 0)
        output.number(summary.resourceCount)
        output.number(summary.pendingOperationCount)
        output.number(parts.count)
        for part in parts {
            switch part {
            case .inline(let text):
                output.number(0)
                output.text(text)
            case .chunk(let chunk):
                output.number(1)
                output.text(chunk.hash)
                output.number(chunk.textCount)
                output.number(Int(chunk.crc))
                output.number(chunk.resourceCount)
                output.number(chunk.place.pack + 1)
                output.number(chunk.place.offset)
                output.number(chunk.place.count)
                output.text(chunk.place.digest)
            }
        }
        let crc = CRC32.checksum((output.bytes + row)[...])
        return output.bytes + (0..<4).map { UInt8(truncatingIfNeeded: crc >> ($0 * 8)) }
    }

    /// Reads the stored form.
    ///
    /// - Throws: when it is damaged, or was not written for this row.
    package init(decoding bytes: ArraySlice<UInt8>, of row: [UInt8]) throws(ManifestError) {
        let body = bytes.dropLast(4)
        let crc = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let isFirst = body.starts(with: Self.firstSignature)
        guard bytes.count > 7, isFirst || body.starts(with: Self.signature),
            CRC32.checksum(isFirst ? body : body + row) == crc
        else { throw .unreadable }
        var input = ManifestReader(bytes: body.dropFirst(Self.signature.count))
        var summary = DocumentSummary()
        summary.version = try input.number()
        for _ in 0..<(try input.count()) { summary.features.append(String(decoding: try input.text(), as: UTF8.self)) }
        summary.hasDeployment = try input.number() == 1
        summary.resourceCount = try input.number()
        summary.pendingOperationCount = try input.number()
        var parts: [Part] = []
        for _ in 0..<(try input.count()) { parts.append(try input.part()) }
        guard input.bytes.isEmpty else { throw .unreadable }
        self.init(summary: summary, parts: parts)
    }
}

private struct ManifestWriter {
    var bytes: [UInt8]

    mutating func number(_ value: Int) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func text(_ text: [UInt8]) {
        number(text.count)
        bytes += text
    }
}

private struct ManifestReader {
    var bytes: ArraySlice<UInt8>

    mutating func number() throws(ManifestError) -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst(), shift < 63 {
            value |= UInt64(byte & 0x7f) << shift
            shift += 7
            if byte < 0x80 { return Int(value) }
        }
        throw .unreadable
    }

    /// A number of items, each of which takes at least one byte.
    mutating func count() throws(ManifestError) -> Int {
        let count = try number()
        guard count <= bytes.count else { throw .unreadable }
        return count
    }

    mutating func text() throws(ManifestError) -> [UInt8] {
        let count = try count()
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }

    mutating func part() throws(ManifestError) -> Manifest.Part {
        switch try number() {
        case 0:
            return .inline(try text())
        case 1:
            let hash = try text()
            let textCount = try number()
            guard let crc = UInt32(exactly: try number()), hash.count == 32 else { throw .unreadable }
            let resourceCount = try number()
            return .chunk(
                Manifest.Chunk(
                    hash: hash,
                    textCount: textCount,
                    crc: crc,
                    resourceCount: resourceCount,
                    place: try place()
                )
            )
        default:
            throw .unreadable
        }
    }

    mutating func place() throws(ManifestError) -> Manifest.Place {
        let pack = try number() - 1
        let offset = try number()
        let count = try number()
        let digest = try text()
        guard digest.count == 32, !offset.addingReportingOverflow(count).overflow else { throw .unreadable }
        return Manifest.Place(pack: pack, offset: offset, count: count, digest: digest)
    }
}
