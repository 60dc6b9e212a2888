/// How long a piece of work, or what it is a part of, keeps processors busy.
package enum WorkWeight: Sendable {
    /// Some milliseconds at most, and somebody waits for it.
    case light
    /// A part of something large: it gives way to everything light.
    case heavy

    /// Reading, hashing and compressing a megabyte of text takes about 4 ms.
    private static let heavyBytes = 1 << 20

    /// - Parameter bytes: of the whole text that is worked on.
    package init(bytes: Int) {
        self = bytes < Self.heavyBytes ? .light : .heavy
    }
}
