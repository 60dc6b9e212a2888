/// Finds what somebody probably meant to write.
package enum Spelling {
    /// The known word that is nearest to `word`, when it is near enough to be a slip.
    package static func nearest(to word: String, among known: some Sequence<String>) -> String? {
        let candidates = known.map { (word: $0, distance: distance(from: $0, to: word)) }
        let nearest = candidates.min { ($0.distance, $0.word) < ($1.distance, $1.word) }
        guard let nearest, nearest.distance <= max(2, word.utf8.count / 4) else { return nil }
        return nearest.word
    }

    /// How many letters must be changed, added or left out to make one word of the other (Levenshtein).
    static func distance(from one: String, to other: String) -> Int {
        let other = Array(other.utf8)
        var row = Array(0...other.count)
        for (index, byte) in one.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in other.indices {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (other[column] == byte ? 0 : 1))
                diagonal = above
            }
        }
        return row[other.count]
    }
}
