import Kernel
import Persistence
import Schema
import Server
import TestKit
import Testing

@Suite("Who may use the databases of a move")
struct MoveStatesTests {
    @Test(
        "stays one of them at a time, at whichever write it is interrupted",
        arguments: MoveRoute.all,
        FailingDatabase.Failure.allCases
    )
    func resumes(route: MoveRoute, kind: FailingDatabase.Failure) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 120)
            let before = try await Samples.content(of: source.database)
            let failing = FailingMove(source.database, target.database, kind)
            var runs = 0

            // One that loses an answer has made a step all the same; others must come one further each time.
            while runs < 200 {
                let write = kind == .refused ? runs + 2 : 2
                guard await failure({ try await failing.run(failingAt: write) }) != nil else { break }
                runs += 1
                let states = try await failing.states()
                #expect(["moving filling", "moved filling", "moved ready", "none filling"].contains(states))
                let served = [await mayServe(source.database), await mayServe(target.database)]
                #expect(served != [true, true])
            }

            #expect(runs > 5 && runs < 200, "it was interrupted \(runs) times")
            #expect(try await failing.states() == "moved ready")
            #expect(try await Samples.content(of: target.database) == before)
            // Once more does nothing.
            try await DatabaseMove(source.database, target.database).run { _ in }
            try await MoveMark.admit(to: target.database, name: "the target")
            #expect(try await MoveMark.read(target.database) == nil)
            let again = await failure { try await DatabaseMove(source.database, target.database).run { _ in } }
            #expect(again?.message.contains("the source was moved to the target") == true)
        }
    }

    @Test(
        "is the target when all is done: servers and tools of the source are told where to look",
        arguments: MoveRoute.all
    )
    func closesSource(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            // As one that was cut off and comes back.
            let straggler = Database(driver: try await source.open())
            _ = try await straggler.read { try $0.count("SELECT COUNT(*) FROM users") }

            try await DatabaseMove(source.database, target.database).run { _ in }

            let refused = await failure { try await MoveMark.admit(to: source.database, name: "the source") }
            let tool = await failure { try await MoveMark.refuse(target.database, name: "the target") }
            let write = await failure {
                try await straggler.write { _ = try $0.execute("DELETE FROM stack_tags") }
            }
            let read = await failure { _ = try await straggler.read { try $0.count("SELECT COUNT(*) FROM users") } }
            await straggler.close()
            #expect(refused?.code == .failedPrecondition)
            #expect(refused?.message.contains("was moved to the target") == true)
            #expect(tool?.message.contains("start one first") == true)
            // It asks clients to come again.
            #expect(write?.code == .unavailable && read?.code == .unavailable)
            try await MoveMark.admit(to: target.database, name: "the target")
            try await MoveMark.refuse(target.database, name: "the target")
            try await MoveMark.admit(to: target.database, name: "the target")
            let rows = try await target.database.read { try $0.count("SELECT COUNT(*) FROM server_values") }
            #expect(rows == 2)
        }
    }

    @Test(
        "is the source again after a move was given up, however often that was interrupted",
        arguments: MoveRoute.some
    )
    func cancels(route: MoveRoute) async throws {
        for isFinished in [false, true] {
            try await route.with { source, target in
                try await Samples.fill(source.database, count: 20)
                let before = try await Samples.content(of: source.database)
                let failing = FailingMove(source.database, target.database, .answerLost)
                if isFinished {
                    try await DatabaseMove(source.database, target.database).run { _ in }
                } else {
                    for _ in 0..<5 { #expect(await failure { try await failing.run(failingAt: 2) } != nil) }
                }

                var runs = 0
                while try await MoveMark.read(source.database) != nil, runs < 10 {
                    #expect(await failure { try await failing.cancel() } != nil)
                    runs += 1
                }

                #expect(runs == (isFinished ? 2 : 1))
                #expect(try await Samples.content(of: source.database) == before)
                try await MoveMark.admit(to: source.database, name: "the source")
                let target = await failure { try await MoveMark.admit(to: target.database, name: "the target") }
                #expect(target?.message.contains(isFinished ? "it has to be emptied" : "repeat 'cairn move") == true)
                let again = await failure { try await failing.cancel() }
                #expect(again?.message == "the source is not being moved")
            }
        }
    }

    @Test("stays the target once a server was started on it: the move cannot be taken back", arguments: MoveRoute.some)
    func keepsServed(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 2)
            try await DatabaseMove(source.database, target.database).run { _ in }
            try await MoveMark.admit(to: target.database, name: "the target")

            let error = await failure { try await DatabaseMove.cancel(source.database, target.database) }
            let other = await failure { try await DatabaseMove.cancel(target.database, source.database) }

            #expect(error?.message.contains("is in use since the move") == true)
            #expect(other?.message == "the source is not being moved")
            #expect(await !mayServe(source.database))
            #expect(await mayServe(target.database))
        }
    }

    @Test("may be the source of the next move when it was the target of one", arguments: MoveRoute.some)
    func movesBack(route: MoveRoute) async throws {
        try await route.with { source, target in
            try await Samples.fill(source.database, count: 30)
            let before = try await Samples.content(of: source.database)
            try await DatabaseMove(source.database, target.database).run { _ in }
            try await MoveMark.admit(to: target.database, name: "the target")
            let full = await failure { try await DatabaseMove(target.database, source.database).run { _ in } }

            try await withTestDatabase(route.source) { third in
                try await DatabaseMove(target.database, third).run { _ in }

                #expect(full != nil)
                #expect(try await Samples.content(of: third) == before)
                #expect(await !mayServe(target.database))
                #expect(await mayServe(third))
            }
        }
    }

    @Test("has a state that names each of them in words", arguments: MoveMark.State.allCases)
    func explains(state: MoveMark.State) {
        let text = MoveMark(state, id: "x", place: "THERE").explanation(of: "HERE")

        #expect(text.contains("HERE") && text.contains("THERE") != (state == .cancelling))
    }

    private func mayServe(_ database: Database) async -> Bool {
        // Looks only: to admit a server is a change.
        guard let mark = try? await MoveMark.read(database) else { return true }
        return mark.state == .ready
    }
}
