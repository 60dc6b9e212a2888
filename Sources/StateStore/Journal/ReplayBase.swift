/// The resources of a base, and what entries said about them.
///
/// Most entries of most journals say nothing about most resources, so these are kept as they came, and what was said
/// stands beside them.
struct ReplayBase {
    private var resources: [StateResource]
    private var marks: [Replay.Marks]
    /// What wins over the resource's own, by its index.
    private var replacements: [Int: StateResource] = [:]

    init(_ resources: [StateResource]) {
        self.resources = resources
        marks = Array(repeating: [], count: resources.count)
    }

    var count: Int { resources.count }

    /// The last index that an entry said something about, -1 if there is none.
    var lastTouched: Int {
        max(marks.lastIndex { !$0.isEmpty } ?? -1, replacements.keys.max() ?? -1)
    }

    mutating func mark(_ index: Int, _ mark: Replay.Marks) {
        marks[index].insert(mark)
    }

    mutating func replace(_ index: Int, by resource: StateResource) {
        replacements[index] = resource
    }

    /// Gives a resource another text, which is newer than a recorded replacement.
    mutating func patch(_ index: Int, with resource: StateResource) {
        resources[index] = resource
        replacements[index] = nil
    }

    /// Takes other resources.
    ///
    /// What was said about an index stays; the list must reach beyond `lastTouched`.
    mutating func exchange(for others: [StateResource]) {
        let kept = Array(marks.prefix(lastTouched + 1))
        resources = others
        for index in resources.indices { resources[index].origin = nil }
        marks = kept + Array(repeating: [], count: others.count - kept.count)
    }

    mutating func append(_ resource: StateResource) {
        resources.append(resource)
        marks.append([])
    }

    /// Appends a resource of another base with what was said about it.
    mutating func append(_ index: Int, of other: ReplayBase) {
        replacements[count] = other.replacements[index]
        resources.append(other.resources[index])
        marks.append(other.marks[index])
    }

    /// Appends what is left of it: a replacement wins over marks, a removal over both.
    func appendRemaining(to result: inout [StateResource]) {
        var untouched = resources.startIndex
        func isTouched(_ index: Int) -> Bool {
            !marks[index].isEmpty || !replacements.isEmpty && replacements[index] != nil
        }
        for index in resources.indices where isTouched(index) {
            if untouched < index { result += resources[untouched..<index] }
            untouched = index + 1
            guard !marks[index].contains(.dropped) else { continue }
            result.append(replacements[index] ?? resources[index].marked(marks[index]))
        }
        result += resources[untouched...]
    }
}
