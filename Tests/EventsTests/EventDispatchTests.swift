import Events
import Jobs
import Kernel
import Persistence
import Telemetry
import TestKit
import Testing

@Suite("Dispatching events")
struct EventDispatchTests {
    @Test("brings an event to everyone who subscribed to its kind, as it was published", arguments: Engine.available)
    func delivers(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let (stacks, everything) = (Listener(), Listener())
            let runner = try await bench.runner([
                stacks.subscription("stacks", to: ["stack.created"]),
                everything.subscription("everything", to: ["stack.created", "stack.deleted"]),
            ])
            let organization: OrganizationID = bench.clock.effects.id()
            let created = try await bench.publish("stack.created", "a\n\nb ä ", organization: organization)
            let deleted = try await bench.publish("stack.deleted")

            try await bench.settle(runner)

            #expect(stacks.events == [created])
            #expect(Set(everything.events.map(\.id)) == [created.id, deleted.id])
            #expect(everything.events.first { $0.id == deleted.id } == deleted)
            #expect(try await bench.waiting().isEmpty)
            #expect(try await bench.deliveries().isEmpty)
        }
    }

    @Test("takes out what nobody subscribed to", arguments: Engine.available)
    func takesOut(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener()
            let runner = try await bench.runner([listener.subscription("one", to: ["other"])])
            for _ in 0..<3 { _ = try await bench.publish("stack.created") }

            try await bench.settle(runner)

            #expect(try await bench.waiting().isEmpty)
            #expect(try await bench.deliveries().isEmpty)
            #expect(listener.events.isEmpty)
        }
    }

    @Test("keeps the order of publication where one job runs at a time", arguments: Engine.available)
    func keepsOrder(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener()
            let runner = try await bench.runner([listener.subscription("one", to: ["a"])], concurrency: 1)
            for number in 0..<20 { _ = try await bench.publish("a", "\(number)") }

            try await bench.settle(runner)

            #expect(listener.events.map(\.payload) == (0..<20).map(String.init))
        }
    }

    @Test("takes a long queue in batches, in one go", arguments: Engine.available)
    func takesBatches(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let events = (0..<250).map { number in
                let id: DomainEventID = bench.clock.effects.id()
                return DomainEvent(id: id, kind: "a", organization: nil, payload: "\(number)", at: bench.clock.now)
            }
            try await bench.database.write { tx in
                for event in events { try Outbox().publish(event, in: tx) }
            }
            let runner = try await bench.runner([])

            #expect(try await runner.runDue() == 1)

            #expect(try await bench.waiting().isEmpty)
            #expect(bench.metrics.exposition().contains("cairn_event_dispatch_delay_seconds_count 250"))
        }
    }

    @Test("looks again by itself", arguments: Engine.available)
    func looksAgain(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener()
            let runner = try await bench.runner([listener.subscription("one", to: ["a"])])
            try await bench.settle(runner)
            let late = try await bench.publish("a")

            #expect(try await runner.runDue() == 0)
            bench.clock.advance(by: .seconds(5))
            try await bench.settle(runner)

            #expect(listener.events == [late])
        }
    }

    @Test("tries again later for the one that failed, and never bothers the others", arguments: Engine.available)
    func retries(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let (failing, fine) = (Listener(failures: 2), Listener())
            let runner = try await bench.runner([
                failing.subscription("failing", to: ["a"]), fine.subscription("fine", to: ["a"]),
            ])
            let event = try await bench.publish("a")

            try await bench.settle(runner)
            #expect(try await bench.deliveries() == ["events.deliver.failing 1"])
            bench.clock.advance(by: .seconds(10))
            try await bench.settle(runner)
            #expect(try await bench.deliveries() == ["events.deliver.failing 2"])
            bench.clock.advance(by: .seconds(20))
            try await bench.settle(runner)

            #expect(failing.events == [event, event, event])
            #expect(fine.events == [event])
            #expect(try await bench.deliveries().isEmpty)
            let text = bench.metrics.exposition()
            #expect(text.contains(#"cairn_event_deliveries_total{subscriber="failing",outcome="failed"} 2"#))
            #expect(text.contains(#"cairn_event_deliveries_total{subscriber="failing",outcome="delivered"} 1"#))
            #expect(text.contains(#"cairn_event_deliveries_total{subscriber="fine",outcome="delivered"} 1"#))
        }
    }

    @Test("sets an event aside in the end, says so, and goes on with those behind it", arguments: Engine.available)
    func setsAside(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener(failures: 3)
            let runner = try await bench.runner([listener.subscription("one", to: ["a"])])
            let poison = try await bench.publish("a")

            for _ in 0..<4 {
                try await bench.settle(runner)
                bench.clock.advance(by: .seconds(60))
            }
            let next = try await bench.publish("a")
            bench.clock.advance(by: .seconds(60))
            try await bench.settle(runner)

            #expect(listener.events == [poison, poison, poison, next])
            #expect(try await bench.deliveries() == ["events.deliver.one 3 failed"])
            let errors = bench.log.entries.filter { $0.level == .error }
            #expect(errors.first?.message == "an event is set aside: its subscriber could not take it")
            #expect(errors.first?["event"] == .text("\(poison.id)"))
            #expect(
                bench.metrics.exposition().contains(
                    #"cairn_event_deliveries_total{subscriber="one",outcome="set_aside"} 1"#
                )
            )
        }
    }

    @Test("hands each event over once, with several processes at it", arguments: Engine.available)
    func sharesWork(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener()
            var runners: [JobRunner] = []
            for _ in 0..<4 {
                let subscription = listener.subscription("one", to: ["a"])
                runners.append(try await bench.runner([subscription], metrics: MetricsRegistry()))
            }
            var published: Set<DomainEventID> = []
            for _ in 0..<50 { published.insert(try await bench.publish("a").id) }

            try await withThrowingTaskGroup(of: Void.self) { group in
                for runner in runners { group.addTask { try await bench.settle(runner) } }
                try await group.waitForAll()
            }
            for runner in runners { try await bench.settle(runner) }

            #expect(Set(listener.events.map(\.id)) == published)
            #expect(listener.events.count == 50)
        }
    }

    @Test("hands each event over once, even when two hold the lease", arguments: Engine.available)
    func survivesLostLease(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener()
            for _ in 0..<120 { _ = try await bench.publish("a") }
            let dispatchers = (0..<4).map { _ in
                EventDispatcher(
                    database: bench.database,
                    effects: bench.clock.effects,
                    subscriptions: [listener.subscription("one", to: ["a"])],
                    metrics: MetricsRegistry()
                )
            }

            try await withThrowingTaskGroup(of: Void.self) { group in
                for dispatcher in dispatchers {
                    let kind = try #require(dispatcher.jobs.first { $0.name == "events.dispatch" })
                    let context = JobContext(id: bench.clock.effects.id(), attempt: 1, log: .silent)
                    group.addTask { _ = try await kind.run("", context) }
                }
                try await group.waitForAll()
            }

            #expect(try await bench.waiting().isEmpty)
            #expect(try await bench.deliveries().count == 120)
        }
    }

    @Test("keeps what is on its way to a subscriber of another version", arguments: Engine.available)
    func keepsForOthers(engine: Engine) async throws {
        try await withEventBench(engine) { bench in
            let listener = Listener(failures: 1)
            let newer = try await bench.runner([listener.subscription("one", to: ["a"])])
            let event = try await bench.publish("a")
            try await bench.settle(newer)

            let older = try await bench.runner([], metrics: MetricsRegistry())
            bench.clock.advance(by: .seconds(10))
            try await bench.settle(older)
            #expect(try await bench.deliveries() == ["events.deliver.one 1"])
            try await bench.settle(newer)

            #expect(listener.events == [event, event])
            #expect(try await bench.deliveries().isEmpty)
        }
    }

    @Test("drops a delivery that holds no event, and says so", arguments: ["", "a\nb\n\n1\n", "x"])
    func abandonsNonsense(payload: String) async throws {
        try await withEventBench(.sqlite) { bench in
            let listener = Listener()
            let runner = try await bench.runner([listener.subscription("one", to: ["a"])])
            let queue = JobQueue(effects: bench.clock.effects)
            try await bench.database.write { tx in
                try queue.enqueue(kind: "events.deliver.one", payload: payload, in: tx)
            }

            try await bench.settle(runner)

            #expect(listener.events.isEmpty)
            #expect(try await bench.deliveries().isEmpty)
            #expect(bench.log.entries.contains { $0.message == "job abandoned" })
        }
    }
}
