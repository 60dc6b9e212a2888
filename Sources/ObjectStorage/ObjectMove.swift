import Crypto
package import Kernel

/// Copies every object of one store into another, while servers may go on with the first.
///
/// Objects never change, so what is there already needs no second copy: a run that was interrupted, or one that comes
/// after more was stored, does only what is missing. Every copy is read back and compared.
package struct ObjectMove: Sendable {
    /// What was done so far.
    package struct Tally: Sendable, Equatable {
        /// Objects of the first store.
        package var found = 0
        package var copied = 0
        /// Of those that were copied.
        package var bytes = 0
        /// They have the size they should have, or, where everything is checked, the content.
        package var present = 0
        /// Objects whose bytes are not what was stored, by their keys: they stay where they are.
        package var damaged: [ObjectKey] = []
        /// Objects of the other store that have another content, by their keys.
        package var different: [ObjectKey] = []

        package init() {}
    }

    package enum Way: Sendable {
        /// Copies what is missing.
        case copy
        /// Says what is missing.
        case look
        /// Compares the content of what is there, too.
        case check
    }

    /// The most bytes that are held whole.
    private static let wholeLimit = 16 << 20

    private let source: any ObjectStore
    private let target: any ObjectStore
    private let width: Int

    /// - Parameter width: how many objects are copied at one time.
    package init(from source: any ObjectStore, to target: any ObjectStore, width: Int = 8) {
        self.source = source
        self.target = target
        self.width = width
    }

    /// Goes through all objects once.
    ///
    /// - Parameter report: told now and then.
    /// - Throws: what a store says that cannot be reached; what is wrong with single objects is in the tally.
    package func run(_ way: Way, report: (Tally) -> Void) async throws -> Tally {
        var tally = Tally()
        var cursor: String?
        repeat {
            let page = try await source.list(in: nil, after: cursor, limit: 500)
            try await withThrowingTaskGroup(of: Outcome.self) { group in
                for (index, object) in page.objects.enumerated() {
                    if index >= width, let outcome = try await group.next() { tally.take(outcome) }
                    group.addTask { try await move(object, way) }
                }
                for try await outcome in group { tally.take(outcome) }
            }
            report(tally)
            cursor = page.next
        } while cursor != nil
        return tally
    }

    fileprivate enum Outcome: Sendable {
        case copied(Int)
        case missing(Int)
        case present
        /// It was deleted meanwhile.
        case gone
        case damaged(ObjectKey)
        case different(ObjectKey)
    }

    private func move(_ object: ObjectInfo, _ way: Way) async throws -> Outcome {
        do {
            if let size = try await target.size(of: object.key) {
                guard size == object.size else { return .different(object.key) }
                guard way == .check else { return .present }
                return try await isSame(object) ? .present : .different(object.key)
            }
            guard way == .copy else { return .missing(object.size) }
            try await copy(object)
            return try await isSame(object) ? .copied(object.size) : .different(object.key)
        } catch let error as ServiceError where error.code == .notFound {
            return .gone
        } catch let error as ServiceError where error.code == .damaged {
            return .damaged(object.key)
        } catch let error as ServiceError where error.code == .conflict {
            return .different(object.key)
        }
    }

    private func copy(_ object: ObjectInfo) async throws {
        if object.size <= Self.wholeLimit {
            try await target.put(source.get(object.key), as: object.key)
        } else {
            try await target.put(source.stream(object.key), as: object.key)
        }
    }

    private func isSame(_ object: ObjectInfo) async throws -> Bool {
        async let one = hash(object, in: source)
        async let other = hash(object, in: target)
        return try await one == other
    }

    private func hash(_ object: ObjectInfo, in store: any ObjectStore) async throws -> Digest {
        if object.size <= Self.wholeLimit { return SHA256.hash(try await store.get(object.key)) }
        var hash = SHA256()
        for try await piece in try await store.stream(object.key) { hash.update(piece) }
        return hash.finish()
    }
}

extension ObjectMove.Tally {
    fileprivate mutating func take(_ outcome: ObjectMove.Outcome) {
        if case .gone = outcome { return }
        found += 1
        switch outcome {
        case .copied(let size):
            copied += 1
            bytes += size
        case .missing(let size): bytes += size
        case .present: present += 1
        case .gone: break
        case .damaged(let key): damaged.append(key)
        case .different(let key): different.append(key)
        }
    }
}
