import Compression
import Kernel
import Stacks

/// Somebody with the CLI: runs one thing after the other, tries again when it must, gives up when it is told to.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class Client: @unchecked Sendable {
    let world: World
    let number: Int
    private var machine: Machine

    init(_ world: World, number: Int) {
        self.world = world
        self.number = number
        machine = world.machines[number % world.machines.count]
    }

    var oracle: Oracle { world.oracle }
    var scheduler: Scheduler { world.scheduler }

    func chance(_ perMille: Int) -> Bool { scheduler.numbers.chance(perMille) }
    func within(_ range: ClosedRange<Int>) -> Int { scheduler.numbers.within(range) }

    /// Works until the run ends.
    func run() async {
        while !world.isEnding, !world.hasEnough {
            await scheduler.sleep(within(1_000...3_000_000))
            guard !world.isQuiet, !world.isEnding else { continue }
            let slot = within(0...(World.slots - 1))
            switch within(0...99) {
            case ..<28: await journaledUpdate(of: slot)
            case ..<54: await checkpointedUpdate(of: slot)
            case ..<62: await importState(into: slot)
            case ..<71: await export(slot)
            case 71: await preview(slot)
            case ..<80: await secrets(of: slot)
            case ..<84: await rename(slot)
            case ..<88: await delete(slot)
            case ..<90: await restore(slot)
            case ..<95: await cancelAnother(slot)
            default: await create(slot)
            }
        }
    }

    // MARK: - One operation

    /// Has something done, with retries as the CLI makes them.
    func have<Value: Sendable>(
        _ intent: Request.Intent,
        _ slot: Int,
        tries: Int = 6,
        _ body: @escaping @Sendable (Services) async throws -> Value
    ) async -> Answer<Value> {
        let operation = world.newOperation()
        var last = ""
        for attempt in 1...tries {
            let request = Request(intent, operation: operation, attempt: attempt, slot: slot, sentAt: oracle.commits)
            world.trace.note(
                6,
                operation,
                attempt,
                stack: slot,
                "client \(number) sends #\(operation).\(attempt) \(request.name) to \(machine.lane.name), slot \(slot)"
            )
            switch await world.send(request, to: machine, body) {
            case .ok(let value):
                oracle.confirmed(request)
                return .ok(value)
            case .refused(let error):
                oracle.refused(request, error)
                return .refused(error)
            case .unknown(let why):
                last = why
                if chance(600) { machine = scheduler.numbers.pick(world.machines) }
                await scheduler.sleep(within(10_000...200_000) << attempt)
            }
        }
        return .unknown(last)
    }

    /// Has something done as the holder of an update.
    func have<Value: Sendable>(
        _ intent: Request.Intent,
        _ slot: Int,
        as lease: Lease,
        _ body: @escaping @Sendable (Services, StackID) async throws -> Value
    ) async -> Answer<Value> {
        await have(intent, slot) { services in try await body(services, try await services.stack(of: lease)) }
    }

    // MARK: - Bodies

    /// A body as it arrives: compressed or not, in pieces.
    func body(_ text: String) -> Pieces {
        body(Array(text.utf8))
    }

    func body(_ text: [UInt8]) -> Pieces {
        let bytes = chance(250) ? Gzip.gzip(text[...], level: 1) : text
        return Pieces(bytes, share: within(50...5000))
    }

    func items(_ count: Int) -> [Item] {
        (0..<count).map { index in Item(name: "r\(index)", mark: world.newMark()) }
    }

    /// Some states fit into rows, others do not.
    var pad: Int { chance(500) ? within(0...20) : within(100...400) }
}

/// Bytes in pieces.
struct Pieces: AsyncSequence, Sendable {
    let bytes: [UInt8]
    private let share: Int

    init(_ bytes: [UInt8], share: Int) {
        self.bytes = bytes
        self.share = share
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<UInt8>
        let share: Int

        mutating func next() async -> ArraySlice<UInt8>? {
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(share) }
            return rest.prefix(share)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: bytes[...], share: share)
    }
}
