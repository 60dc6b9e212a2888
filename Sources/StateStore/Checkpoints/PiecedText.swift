/// A text that lies in several pieces.
///
/// Editing it shares the untouched pieces instead of copying them.
package struct PiecedText: Sendable {
    /// None of them is empty.
    package private(set) var pieces: [ArraySlice<UInt8>] = []
    package private(set) var count = 0
    private var starts: [Int] = []

    package init() {}

    package init(_ pieces: [ArraySlice<UInt8>]) {
        for piece in pieces { append(piece) }
    }

    package init(_ text: [UInt8]) {
        append(text[...])
    }

    package mutating func append(_ piece: ArraySlice<UInt8>) {
        guard !piece.isEmpty else { return }
        pieces.append(piece)
        starts.append(count)
        count += piece.count
    }

    /// The whole text in one piece.
    package func joined() -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for piece in pieces { result += piece }
        return result
    }

    /// The byte at an offset below `count`.
    func byte(at offset: Int) -> UInt8 {
        let place = place(of: offset)
        return pieces[place][pieces[place].startIndex + offset - starts[place]]
    }

    /// Appends the pieces of a range to another text.
    func copy(_ range: Range<Int>, to text: inout PiecedText) {
        guard !range.isEmpty else { return }
        var place = place(of: range.lowerBound)
        while place < pieces.count, starts[place] < range.upperBound {
            let piece = pieces[place]
            let from = max(range.lowerBound - starts[place], 0)
            let to = min(range.upperBound - starts[place], piece.count)
            text.append(piece[(piece.startIndex + from)..<(piece.startIndex + to)])
            place += 1
        }
    }

    /// Index of the piece that holds the byte at `offset`.
    private func place(of offset: Int) -> Int {
        var low = 0
        var high = starts.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
