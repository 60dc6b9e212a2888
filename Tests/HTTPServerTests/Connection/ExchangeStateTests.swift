import HTTPServer
import Testing

/// One event for the state machine, with the action it must give.
enum Step: Sendable {
    case read(ExchangeState.Read)
    case piece(ExchangeState.Received)
    case lastPiece(ExchangeState.Received)
    case end(ExchangeState.Received)
    case broken(ExchangeState.Received)
    case readCancelled(Bool)
    case wholeBody
    case respond(ExchangeState.Form, send: Bool, failReader: Bool)
    case write(ExchangeState.Write)
    case written(Bool)
    case endStream(Bool)
    case close(failReader: Bool, failWriter: Bool, cancel: Bool)

    /// What the machine does instead; nil when it does as it must.
    func deviation(_ state: inout ExchangeState) -> String? {
        switch self {
        case .read(let expected): Self.compare(state.read(), expected)
        case .piece(let expected):
            Self.compare(state.received(isEmpty: false, end: false, broken: false), expected)
        case .lastPiece(let expected):
            Self.compare(state.received(isEmpty: false, end: true, broken: false), expected)
        case .end(let expected): Self.compare(state.received(isEmpty: true, end: true, broken: false), expected)
        case .broken(let expected): Self.compare(state.received(isEmpty: true, end: false, broken: true), expected)
        case .readCancelled(let expected): Self.compare(state.readCancelled(), expected)
        case .wholeBody:
            Self.nothing { state.tookWholeBody() }
        case .respond(let form, let send, let failReader):
            Self.compare(state.respond(form), ExchangeState.Respond(send: send, failReader: failReader))
        case .write(let expected): Self.compare(state.write(), expected)
        case .written(let expected): Self.compare(state.written(), expected)
        case .endStream(let expected): Self.compare(state.end(), expected)
        case .close(let reader, let writer, let cancel):
            Self.compare(
                state.close(),
                ExchangeState.Close(failReader: reader, failWriter: writer, cancelTask: cancel)
            )
        }
    }

    private static func compare<T: Equatable>(_ value: T, _ expected: T) -> String? {
        value == expected ? nil : "\(value) in place of \(expected)"
    }

    private static func nothing(_ body: () -> Void) -> String? {
        body()
        return nil
    }
}

struct Story: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [Step]

    init(_ name: String, _ steps: [Step]) {
        self.name = name
        self.steps = steps
    }

    var testDescription: String { name }
}

@Suite("The state machine of a request")
struct ExchangeStateTests {
    @Test("each event gives the action of its state", arguments: reading + answering + endings)
    func story(_ story: Story) {
        var state = ExchangeState()

        for (index, step) in story.steps.enumerated() {
            let deviation = step.deviation(&state)

            #expect(deviation == nil, "step \(index)")
        }
    }

    @Test("no order of events resumes a reader or a writer twice, or one that does not wait")
    func exhaustive() {
        let violations = Self.explore(depth: 6)

        #expect(violations == [])
    }

    private static let reading = [
        Story(
            "two pieces and the end",
            [
                .read(.ask), .piece(.resumeWithPiece), .read(.ask), .piece(.resumeWithPiece), .read(.ask),
                .end(.resumeWithEnd), .read(.end), .read(.end),
            ]
        ),
        Story("a last piece", [.read(.ask), .lastPiece(.resumeWithPiece), .read(.end)]),
        Story("a whole body", [.wholeBody, .read(.end)]),
        Story("two readers at once", [.read(.ask), .read(.misuse), .piece(.resumeWithPiece)]),
        Story("broken framing", [.read(.ask), .broken(.resumeBroken), .read(.broken), .read(.broken)]),
        Story("a piece that nobody waits for", [.piece(.ignore), .end(.ignore), .broken(.ignore), .read(.ask)]),
        Story(
            "a cancelled reader",
            [
                .readCancelled(false), .read(.ask), .readCancelled(true), .readCancelled(false), .piece(.ignore),
                .read(.cancelled),
            ]
        ),
    ]

    private static let answering = [
        Story(
            "a whole answer",
            [
                .respond(.whole, send: true, failReader: false), .respond(.whole, send: false, failReader: false),
                .read(.misuse), .write(.misuse), .endStream(false), .written(false),
            ]
        ),
        Story(
            "an answer while somebody reads",
            [
                .read(.ask), .respond(.whole, send: true, failReader: true), .piece(.ignore), .read(.cancelled),
            ]
        ),
        Story(
            "a file",
            [
                .respond(.file, send: true, failReader: false), .read(.misuse), .write(.misuse), .endStream(false),
                .written(true), .written(false),
            ]
        ),
        Story(
            "a stream",
            [
                .write(.misuse), .respond(.stream, send: true, failReader: false), .write(.send), .write(.misuse),
                .endStream(false), .written(true), .write(.send), .written(true), .endStream(true), .endStream(false),
                .write(.misuse),
            ]
        ),
        Story(
            "a stream that reads as it goes",
            [
                .respond(.stream, send: true, failReader: false), .read(.ask), .lastPiece(.resumeWithPiece),
                .write(.send),
                .written(true), .read(.end), .endStream(true),
            ]
        ),
    ]

    private static let endings = [
        Story(
            "gone before anything",
            [
                .close(failReader: false, failWriter: false, cancel: true),
                .close(failReader: false, failWriter: false, cancel: false), .read(.cancelled),
                .respond(.whole, send: false, failReader: false), .write(.cancelled), .endStream(false),
            ]
        ),
        Story(
            "gone while reading",
            [
                .read(.ask), .close(failReader: true, failWriter: false, cancel: true), .piece(.ignore),
                .read(.cancelled),
                .readCancelled(false),
            ]
        ),
        Story(
            "gone while writing",
            [
                .respond(.stream, send: true, failReader: false), .write(.send),
                .close(failReader: false, failWriter: true, cancel: true), .written(false), .write(.cancelled),
            ]
        ),
        Story(
            "gone while a file is sent",
            [
                .respond(.file, send: true, failReader: false),
                .close(failReader: false, failWriter: true, cancel: true),
                .written(false),
            ]
        ),
        Story(
            "gone between two pieces",
            [
                .respond(.stream, send: true, failReader: false),
                .close(failReader: false, failWriter: false, cancel: true),
            ]
        ),
        Story(
            "gone after the answer",
            [
                .respond(.whole, send: true, failReader: false),
                .close(failReader: false, failWriter: false, cancel: false),
            ]
        ),
    ]
}

/// Tries every order of events and keeps account of who waits.
extension ExchangeStateTests {
    private struct Account {
        var state = ExchangeState()
        var readers = 0
        var writers = 0
        var path: [String] = []

        mutating func apply(_ event: Int) {
            switch event {
            case 0: if state.read() == .ask { readers += 1 }
            case 1: if state.received(isEmpty: false, end: false, broken: false) != .ignore { readers -= 1 }
            case 2: if state.received(isEmpty: true, end: true, broken: false) != .ignore { readers -= 1 }
            case 3: if state.received(isEmpty: true, end: false, broken: true) != .ignore { readers -= 1 }
            case 4: if state.readCancelled() { readers -= 1 }
            case 5: if state.respond(.whole).failReader { readers -= 1 }
            case 6:
                let step = state.respond(.file)
                if step.send { writers += 1 }
                if step.failReader { readers -= 1 }
            case 7: if state.respond(.stream).failReader { readers -= 1 }
            case 8: if state.write() == .send { writers += 1 }
            case 9: if state.written() { writers -= 1 }
            case 10: _ = state.end()
            default:
                let step = state.close()
                if step.failReader { readers -= 1 }
                if step.failWriter { writers -= 1 }
            }
            path.append("\(event)")
        }

        /// Nobody is resumed twice, and nobody waits when all is over.
        var isSound: Bool {
            (0...1).contains(readers) && (0...1).contains(writers) && (!state.isClosed || readers + writers == 0)
        }
    }

    private static func explore(depth: Int) -> [String] {
        var violations: [String] = []
        var frontier = [Account()]
        for _ in 0..<depth {
            var next: [Account] = []
            for account in frontier {
                for event in 0...11 {
                    var after = account
                    after.apply(event)
                    if !after.isSound { violations.append(after.path.joined(separator: " ")) }
                    let isKnown = next.contains {
                        $0.state == after.state && $0.readers == after.readers && $0.writers == after.writers
                    }
                    if !isKnown { next.append(after) }
                }
            }
            frontier = next
        }
        return violations
    }
}
