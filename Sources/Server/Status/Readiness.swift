import Kernel
import Synchronization

/// Whether this process can do its work, asked anew at each probe.
package final class Readiness: Sendable {
    /// Something that must work.
    ///
    /// Its error's message is shown to whoever probes.
    package struct Check: Sendable {
        package let name: String
        package let run: @Sendable () async throws -> Void

        package init(_ name: String, _ run: @escaping @Sendable () async throws -> Void) {
            self.name = name
            self.run = run
        }
    }

    private static let deadline = Duration.seconds(2)

    private let checks: [Check]
    private let clock: any Clock<Duration>
    private let draining = Atomic<Bool>(false)

    package init(checks: [Check], clock: any Clock<Duration>) {
        self.checks = checks
        self.clock = clock
    }

    /// From now on the process asks for no more traffic.
    package func beginDraining() {
        draining.store(true, ordering: .releasing)
    }

    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// What is missing, by name; empty when the process is ready.
    package func failures() async -> [String: String] {
        if isDraining { return ["server": "is stopping"] }
        return await withTaskGroup(of: (String, String?).self) { group in
            for check in checks {
                group.addTask { (check.name, await self.failure(of: check)) }
            }
            var failed: [String: String] = [:]
            for await (name, reason) in group where reason != nil { failed[name] = reason }
            return failed
        }
    }

    private func failure(of check: Check) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    try await check.run()
                    return nil
                } catch let error as ServiceError {
                    return error.message
                } catch {
                    return "failed"
                }
            }
            group.addTask { [clock] in
                try? await clock.sleep(for: Self.deadline)
                return "no answer within \(Self.deadline)"
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
