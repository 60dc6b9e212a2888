import Kernel

/// An update as it must be, by what was committed.
final class UpdateModel {
    let id: String
    let stack: StackModel
    let generation: Int
    let version: Int
    let isJournaled: Bool
    /// The state it began with.
    let base: Content
    var isEnded = false
    /// How many transactions were committed when it began, and when it ended.
    let startedAt: Int
    var endedAt: Int?
    /// What its journal holds, by number.
    var steps: [Int64: JournalStep] = [:]
    /// What it has saved; nil for nothing.
    var content: Content?
    /// The number of its last numbered save.
    var sequence = 0
    /// Operations whose save was committed.
    var saves: Set<Int> = []
    var events: Set<Int64> = []
    /// Until when its holder was promised that nobody takes the stack without being told to.
    var promisedUntil: Timestamp?

    init(id: String, stack: StackModel, generation: Int, version: Int, isJournaled: Bool, startedAt: Int) {
        self.id = id
        self.stack = stack
        self.generation = generation
        self.version = version
        self.isJournaled = isJournaled
        self.startedAt = startedAt
        base = stack.content
    }
}

/// A stack as it must be, by what was committed.
final class StackModel {
    /// What whoever asks at some time must be shown.
    struct View {
        /// The number of the commit since which it is so.
        var since: Int
        /// Nil once it was deleted.
        var name: String?
        var content: Content
    }

    let id: String
    /// In the order of their creation.
    let number: Int
    var name: String
    var isLive = true
    var version = 0
    var generation = 0
    var running: UpdateModel?
    /// The settled state.
    var content: Content
    var versions: [Int: Content] = [:]
    private(set) var views: [View] = []
    /// Ciphertexts that clients have, and what is in them.
    var secrets: [(ciphertext: [UInt8], plaintext: [UInt8])] = []

    init(id: String, number: Int, name: String, content: Content) {
        self.id = id
        self.number = number
        self.name = name
        self.content = content
    }

    /// Whether it is one of those that clients know as this one.
    func isOf(_ slot: Int) -> Bool {
        name == "s\(slot)" || name.hasPrefix("s\(slot)n")
    }

    func look(at commit: Int) {
        views.append(View(since: commit, name: isLive ? name : nil, content: running?.content ?? content))
    }

    /// What it showed at any time between two commits.
    func views(between first: Int, and last: Int) -> ArraySlice<View> {
        let begin = views.lastIndex { $0.since <= first } ?? views.startIndex
        let end = views.lastIndex { $0.since <= last }.map { $0 + 1 } ?? views.startIndex
        return begin < end ? views[begin..<end] : []
    }
}
