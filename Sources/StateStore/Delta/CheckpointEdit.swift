import JSONScan

/// One edit of a checkpoint delta: the bytes in `range` of the base give way to `text`
/// (`spec/cli-protocol.md` §11.3).
package struct CheckpointEdit: Sendable, Equatable {
    package var range: Range<Int>
    package var text: [UInt8]

    package init(range: Range<Int>, text: [UInt8]) {
        self.range = range
        self.text = text
    }
}

/// Where an edit begins or ends, as the client writes it.
struct CheckpointPoint: Equatable {
    var line = 1
    var column = 1
    var offset = 0

    /// The byte position in a text whose lines begin at `lines`.
    ///
    /// Clients from 3.68 on give offsets; older ones lines, with an offset of 0 or −1.
    func position(lines: LineStarts) -> Int? {
        if offset > 0 { return offset }
        if offset == 0, line <= 1 { return 0 }
        guard let start = lines.start(ofLine: line), column >= 1 else { return nil }
        let (position, overflow) = start.addingReportingOverflow(column - 1)
        return overflow ? nil : position
    }
}

/// Where each line of a text begins, found when the first edit asks for lines.
final class LineStarts {
    private let text: ArraySlice<UInt8>
    private lazy var starts: [Int] = {
        var starts = [0]
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "\n") { starts.append(index + 1) }
        return starts
    }()

    init(_ text: ArraySlice<UInt8>) {
        self.text = text
    }

    /// Lines are counted from 1; the one behind the last is the end of the text.
    func start(ofLine line: Int) -> Int? {
        guard line >= 1 else { return nil }
        if line - 1 < starts.count { return starts[line - 1] }
        return line - 1 == starts.count ? text.count : nil
    }
}

extension CheckpointEdit {
    /// Reads the elements of `deploymentDelta` against the text they edit.
    ///
    /// - Throws: `.deltaRefused`; the client then sends the whole text.
    package static func read(
        _ elements: [ArraySlice<UInt8>],
        against base: ArraySlice<UInt8>
    ) throws(StateError) -> [CheckpointEdit] {
        let lines = LineStarts(base)
        var edits: [CheckpointEdit] = []
        edits.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            edits.append(try read(element, lines: lines, index: index))
        }
        return edits
    }

    private static func read(
        _ element: ArraySlice<UInt8>,
        lines: LineStarts,
        index: Int
    ) throws(StateError) -> CheckpointEdit {
        guard element.first == UInt8(ascii: "{") else { throw .deltaRefused("edit \(index) is no object") }
        var start: CheckpointPoint?
        var end: CheckpointPoint?
        var text: [UInt8] = []
        for member in JSONMembers(of: element) {
            let value = element[member.value]
            switch String(decoding: JSONText.decode(element[member.key]), as: UTF8.self) {
            case "Span":
                (start, end) = try span(value, index: index)
            case "NewText":
                guard !JSONScalar.isNull(value) else { continue }
                guard let contents = JSONScalar.string(value) else {
                    throw .deltaRefused("edit \(index): NewText is no string")
                }
                text = Array(contents)
            default:
                continue
            }
        }
        guard let lower = start?.position(lines: lines), let upper = end?.position(lines: lines) else {
            throw .deltaRefused("edit \(index) has no place in the text")
        }
        guard lower >= 0, lower <= upper else { throw .deltaRefused("edit \(index) ends before it begins") }
        return CheckpointEdit(range: lower..<upper, text: text)
    }

    private static func span(
        _ value: ArraySlice<UInt8>,
        index: Int
    ) throws(StateError) -> (CheckpointPoint, CheckpointPoint) {
        guard value.first == UInt8(ascii: "{") else { throw .deltaRefused("edit \(index): Span is no object") }
        var points: [String: CheckpointPoint] = [:]
        for member in JSONMembers(of: value) {
            let key = String(decoding: JSONText.decode(value[member.key]), as: UTF8.self)
            guard key == "start" || key == "end" else { continue }
            points[key] = try point(value[member.value], index: index)
        }
        guard let start = points["start"], let end = points["end"] else {
            throw .deltaRefused("edit \(index): Span has no start or end")
        }
        return (start, end)
    }

    private static func point(_ value: ArraySlice<UInt8>, index: Int) throws(StateError) -> CheckpointPoint {
        guard value.first == UInt8(ascii: "{") else { throw .deltaRefused("edit \(index): a point is no object") }
        var point = CheckpointPoint()
        for member in JSONMembers(of: value) {
            guard let number = JSONScalar.integer(value[member.value]), let integer = Int(exactly: number) else {
                throw .deltaRefused("edit \(index): a point has something other than integers")
            }
            switch String(decoding: JSONText.decode(value[member.key]), as: UTF8.self) {
            case "line": point.line = integer
            case "column": point.column = integer
            case "offset": point.offset = integer
            default: continue
            }
        }
        return point
    }
}
