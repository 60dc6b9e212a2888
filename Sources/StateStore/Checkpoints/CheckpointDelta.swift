import JSONScan

/// One `PATCH U/checkpointdelta`: edits against the text of the save before (`spec/cli-protocol.md` §11.3).
package struct CheckpointDelta: Sendable {
    /// A place in the base, as the CLI addresses it.
    struct Point: Sendable, Equatable {
        var line: Int64
        var column: Int64
        var offset: Int64
    }

    struct Edit: Sendable {
        var start: Point
        var end: Point
        /// Decoded.
        var text: ArraySlice<UInt8>
    }

    package let sequenceNumber: Int64
    /// Lower-case hexadecimal SHA-256 of the text that must come out.
    package let checkpointHash: String
    let edits: [Edit]

    /// Reads the inflated body of the request.
    package init(body: ArraySlice<UInt8>) throws(StateError) {
        var sequence: Int64?
        var hash = ""
        var edits: [Edit] = []
        try CutLoop.run([body], as: .delta) { cut throws(StateError) in
            switch cut {
            case .member(.delta, "sequenceNumber", let value, _):
                sequence = JSONScalar.integer(value)
            case .member(.delta, "checkpointHash", let value, _):
                hash = JSONReading.text(value) ?? ""
            case .member(.delta, "deploymentDelta", let value, _) where !JSONScalar.isNull(value):
                throw .invalid(path: "deploymentDelta", problem: "must be a list")
            case .element(.edits, let value, _):
                guard let edit = Self.edit(value) else {
                    throw .invalid(path: "deploymentDelta[\(edits.count)]", problem: "must hold Span and NewText")
                }
                edits.append(edit)
            default:
                break
            }
        }
        guard let sequence, sequence >= 1 else { throw .invalid(path: "sequenceNumber", problem: "must be at least 1") }
        guard !hash.isEmpty else { throw .invalid(path: "checkpointHash", problem: "is required") }
        sequenceNumber = sequence
        checkpointHash = hash
        self.edits = edits
    }

    /// Checks the text after the edits by its hash.
    package func check(_ text: PiecedText, hash: HashMaker) throws(StateError) {
        guard hexadecimalHash(of: text.pieces, hash) == checkpointHash else {
            throw .deltaRefused("the result has another hash than \(checkpointHash)")
        }
    }

    /// The text after the edits, unchecked.
    ///
    /// Pieces of the base that no edit touches are shared, not copied.
    package func edited(_ base: PiecedText) throws(StateError) -> PiecedText {
        var lines = LineIndex(base)
        var replacements: [(range: Range<Int>, text: ArraySlice<UInt8>)] = []
        for edit in edits {
            let start = try Self.offset(of: edit.start, in: base, &lines)
            let end = try Self.offset(of: edit.end, in: base, &lines)
            guard start <= end else { throw .deltaRefused("an edit ends before it starts") }
            replacements.append((start..<end, edit.text))
        }
        // Genuine edits are in order. Swift's sort is stable: edits at one place keep their order.
        replacements.sort {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var result = PiecedText()
        var position = 0
        for (range, text) in replacements {
            guard range.lowerBound >= position else { throw .deltaRefused("edits overlap") }
            base.copy(position..<range.lowerBound, to: &result)
            result.append(text)
            position = range.upperBound
        }
        base.copy(position..<base.count, to: &result)
        return result
    }

    private static func offset(
        of point: Point,
        in base: PiecedText,
        _ lines: inout LineIndex
    ) throws(StateError) -> Int {
        let offset: Int
        if point.offset > 0 || (point.offset == 0 && point.line <= 1) {
            offset = Int(clamping: point.offset)
        } else if point.offset >= -1, let found = lines.offset(line: point.line, column: point.column) {
            offset = found
        } else {
            throw .deltaRefused("line \(point.line), column \(point.column) is not in the text")
        }
        guard offset <= base.count else {
            throw .deltaRefused("offset \(offset) is beyond the end of the text, which has \(base.count) bytes")
        }
        guard offset == base.count || base.byte(at: offset) & 0xc0 != 0x80 else {
            throw .deltaRefused("offset \(offset) is inside of a character")
        }
        return offset
    }

    private static func edit(_ value: ArraySlice<UInt8>) -> Edit? {
        guard let span = JSONReading.member("Span", of: value), let start = point("start", of: span),
            let end = point("end", of: span)
        else { return nil }
        guard let text = JSONReading.member("NewText", of: value) else { return Edit(start: start, end: end, text: []) }
        return JSONScalar.string(text).map { Edit(start: start, end: end, text: $0) }
    }

    private static func point(_ key: String, of span: ArraySlice<UInt8>) -> Point? {
        guard let value = JSONReading.member(key, of: span), value.first == UInt8(ascii: "{") else { return nil }
        var numbers: [Int64] = []
        for key in ["line", "column", "offset"] {
            guard let raw = JSONReading.member(key, of: value) else {
                numbers.append(0)
                continue
            }
            guard let number = JSONScalar.integer(raw) else { return nil }
            numbers.append(number)
        }
        return Point(line: numbers[0], column: numbers[1], offset: numbers[2])
    }
}

/// Where the lines of a text begin; found when first asked for, as only CLIs of 2022 and before address lines.
private struct LineIndex {
    private let text: PiecedText
    private var starts: [Int]?

    init(_ text: PiecedText) {
        self.text = text
    }

    /// The offset of a line and column, both counted from 1, columns in bytes; one line past the last is the end.
    mutating func offset(line: Int64, column: Int64) -> Int? {
        let starts = self.starts ?? find()
        self.starts = starts
        guard line >= 1, line <= Int64(starts.count), column >= 1, column <= Int64(text.count) + 1 else { return nil }
        let (offset, overflow) = starts[Int(line) - 1].addingReportingOverflow(Int(column) - 1)
        return overflow ? nil : offset
    }

    private func find() -> [Int] {
        var starts = [0]
        var offset = 0
        for piece in text.pieces {
            for (index, byte) in piece.enumerated() where byte == UInt8(ascii: "\n") {
                starts.append(offset + index + 1)
            }
            offset += piece.count
        }
        return starts + [text.count]
    }
}
