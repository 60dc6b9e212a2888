/// The names of members that are read, each with what it means.
///
/// It is asked for every member of every resource and entry of a state: names are looked at by their length first.
struct KeyTable<Key: Sendable>: Sendable {
    private var byLength: [[(name: [UInt8], key: Key)]] = []

    init(_ keys: [(name: String, key: Key)]) {
        for (name, key) in keys {
            let name = Array(name.utf8)
            while byLength.count <= name.count { byLength.append([]) }
            byLength[name.count].append((name, key))
        }
    }

    /// - Parameter name: decoded.
    func find(_ name: Span<UInt8>) -> Key? {
        guard name.count < byLength.count else { return nil }
        let candidates = byLength[name.count]
        for index in candidates.indices where Self.isSame(candidates[index].name, name) {
            return candidates[index].key
        }
        return nil
    }

    /// - Parameter right: as long as `left`.
    private static func isSame(_ left: [UInt8], _ right: Span<UInt8>) -> Bool {
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }
}
