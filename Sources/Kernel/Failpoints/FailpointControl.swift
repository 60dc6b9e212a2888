#if CAIRN_FAILPOINTS
    import Synchronization

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// What happens at a failpoint.
    package enum FailpointAction: Sendable, Equatable {
        /// The process is gone at once, as with SIGKILL.
        case kill
        /// The step fails.
        case error
        /// Everything else goes on meanwhile; in milliseconds.
        case delay(Int)
    }

    /// Which point does what, in memory that a test may share with the process (`Tests/Faults/failpoints.py`).
    ///
    /// Words of 64 bits: the armed point counted from 1, or 0; action (1 kill, 2 error, 3 delay); milliseconds; which pass
    /// acts; passes since it was armed; how often it acted; number of points; seconds that the clock of housekeeping is
    /// ahead. Then for each point 64 bytes: its name, padded with zeros, and in the last word how often it was passed.
    package final class FailpointControl: Sendable {
        private enum Word: Int {
            case armed, action, milliseconds, nth, passes, hits, points, ahead
        }

        private static let header = 64
        private static let slot = 64
        package static let size = header + slot * Failpoint.allCases.count

        // SAFETY: never freed nor moved; every access after `init` is atomic.
        private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
        private let slots: [Failpoint: Int]

        /// The one of this process: set once, and kept for good.
        private static let installed = Atomic<UInt>(0)

        package static var current: FailpointControl? {
            guard let address = UnsafeRawPointer(bitPattern: installed.load(ordering: .acquiring)) else { return nil }
            return Unmanaged<FailpointControl>.fromOpaque(address).takeUnretainedValue()
        }

        /// - Parameter memory: `size` bytes that stay; what tells which point is armed may be in them already.
        package init(_ memory: UnsafeMutableRawPointer) {
            self.memory = memory
            slots = Dictionary(uniqueKeysWithValues: Failpoint.allCases.enumerated().map { ($1, $0) })
            for (point, index) in slots {
                let start = memory + Self.header + Self.slot * index
                for (offset, byte) in point.name.utf8.prefix(Self.slot - 9).enumerated() {
                    start.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
                }
            }
            store(Failpoint.allCases.count, in: .points)
        }

        /// Makes this the one that `Failpoint` asks.
        package func install() {
            Self.installed.store(UInt(bitPattern: Unmanaged.passRetained(self).toOpaque()), ordering: .releasing)
        }

        package func arm(_ point: Failpoint, _ action: FailpointAction, nth: Int = 1) {
            store(0, in: .armed)
            store(nth, in: .nth)
            store(0, in: .passes)
            store(0, in: .hits)
            switch action {
            case .kill: store(1, in: .action)
            case .error: store(2, in: .action)
            case .delay(let milliseconds):
                store(milliseconds, in: .milliseconds)
                store(3, in: .action)
            }
            store((slots[point] ?? 0) + 1, in: .armed)
        }

        /// How often a point was passed.
        package func passes(of point: Failpoint) -> Int {
            atomic(count(of: slots[point] ?? 0)).pointee.load(ordering: .relaxed)
        }

        /// How far the clock is ahead by which unnamed objects get old, so that no test has to wait for that.
        package var ahead: Duration { .seconds(load(.ahead)) }

        /// Counts, and does what is armed here: true when the step is to fail.
        package func pass(_ point: Failpoint) -> Bool {
            guard let slot = slots[point] else { return false }
            atomic(count(of: slot)).pointee.wrappingAdd(1, ordering: .relaxed)
            guard load(.armed) == slot + 1 else { return false }
            let passes = atomic(Word.passes.rawValue * 8).pointee.wrappingAdd(1, ordering: .relaxed).newValue
            guard passes == load(.nth) else { return false }
            atomic(Word.hits.rawValue * 8).pointee.wrappingAdd(1, ordering: .releasing)
            switch load(.action) {
            case 1:
                kill(getpid(), SIGKILL)
                while true { pause() }
            case 3:
                usleep(UInt32(load(.milliseconds)) * 1000)
                return false
            default:
                return true
            }
        }

        // MARK: - Memory

        private func count(of slot: Int) -> Int { Self.header + Self.slot * slot + Self.slot - 8 }

        private func load(_ word: Word) -> Int { atomic(word.rawValue * 8).pointee.load(ordering: .relaxed) }

        private func store(_ value: Int, in word: Word) {
            atomic(word.rawValue * 8).pointee.store(value, ordering: .releasing)
        }

        private func atomic(_ offset: Int) -> UnsafeMutablePointer<Atomic<Int>> {
            (memory + offset).assumingMemoryBound(to: Atomic<Int>.self)
        }
    }
#endif
