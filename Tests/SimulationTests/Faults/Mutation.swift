/// A rule of `reliability-security.md` §3.2 that a run breaks on purpose: the oracle must find out.
///
/// Each is broken from outside, by the driver or the store that a server is given; shipped code knows nothing of it.
enum Mutation: String, CaseIterable, Sendable {
    /// D1: a write is answered and never becomes durable, where its commit fails.
    case answersBeforeCommit
    /// D1: the store answers before the object is on the disk.
    case answersBeforeSync
    /// D3: the row is written while its object is still on the way.
    case rowBeforeObject
    /// D4: whether an update may write is looked up in what was true some time ago.
    case leaseFromMemory
    /// D4: nobody asks who holds the stack.
    case holderUnseen
    /// D6: a number that was used already is not recognized.
    case numbersForgotten
    /// D8: a commit without an answer is taken for done.
    case unknownIsDone
    /// D8: a commit without an answer is taken for undone, and tried again.
    case unknownIsUndone
}
