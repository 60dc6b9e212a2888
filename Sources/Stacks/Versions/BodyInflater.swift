import Compression
import Kernel

/// Takes the compression off a body that arrives in pieces, bounded in memory and in output.
///
/// Whether it is gzip is seen by its first byte: no JSON text begins so, and a proxy may have eaten the header that
/// says it.
struct BodyInflater: ~Copyable {
    /// The most bytes of a state's text.
    static let textLimit = 512 << 20

    private let limit: Int
    private var inflater: Inflater?
    private var isPlain = false
    private var count = 0

    /// - Parameter limit: the most bytes to give out.
    init(limit: Int = textLimit) {
        self.limit = limit
    }

    /// The text of a body that is all at hand.
    static func text(of body: [UInt8], limit: Int = textLimit) throws -> [UInt8] {
        var windows: [ArraySlice<UInt8>] = []
        var inflater = BodyInflater(limit: limit)
        try inflater.feedWhole(body) { windows.append($0) }
        try inflater.finish()
        return windows.count == 1 ? Array(windows[0]) : Array(windows.joined())
    }

    /// Takes a body that is all at hand and calls `body` with its windows, faster than piece by piece.
    mutating func feedWhole(_ whole: [UInt8], _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        // Up to this size it is inflated at once; what does not fit, or is damaged, goes the other way to find out.
        if whole.first == 0x1f, let text = try? Gzip.gunzip(whole[...], limit: min(limit, 4 << 20)) {
            isPlain = true
            return try body(text[...])
        }
        try feed(whole[...], body)
    }

    /// Calls `body` with each window of text that a piece completes.
    mutating func feed(_ piece: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        guard let first = piece.first else { return }
        if isPlain || (inflater == nil && first != 0x1f) {
            isPlain = true
            count += piece.count
            guard count <= limit else { throw CompressionError.tooLarge.serviceError }
            return try body(piece)
        }
        if inflater == nil { inflater = Inflater(limits: Inflater.Limits(output: limit), window: 1 << 17) }
        inflater?.supply(piece)
        while let window = try next() { try body(window) }
    }

    /// Checks that the body ended where it may end.
    mutating func finish() throws {
        do {
            try inflater?.finish()
        } catch {
            throw error.serviceError
        }
    }

    private mutating func next() throws -> ArraySlice<UInt8>? {
        do {
            return try inflater?.next()
        } catch {
            throw error.serviceError
        }
    }
}
