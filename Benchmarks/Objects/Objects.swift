import CloudAccess
import Crypto
import Foundation
import Kernel
import ObjectStorage
import OutboundHTTP
import Transfers

/// Puts objects into a bucket and gets them back, as the server does it.
///
///     Objects URL SIZE COUNT WRITERS
///
/// The keys are those of the test services. Prints one line of JSON: seconds for all puts and for all gets, and the
/// milliseconds of each of them.
@main
struct Objects {
    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 5, let size = Int(words[2]), let count = Int(words[3]), let writers = Int(words[4]) else {
            throw ServiceError.invalid("arguments", "are URL SIZE COUNT WRITERS")
        }
        let effects = Effects(
            now: { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) },
            randomBytes: { Random.bytes($0) }
        )
        let keys = AWSCredentials(accessKeyID: "cairn-access", secretAccessKey: Redacted("cairn-secret"))
        let configuration = try OutboundConfiguration(settings: Settings([:]))
        let store = try await S3ObjectStore.open(
            S3Location(words[1], region: nil),
            credentials: FixedAWSCredentials(keys),
            client: ServiceClient(configuration, transfers: Transfers()),
            effects: effects
        )
        let bytes = Random.bytes(size)
        let names = (0..<count).map { _ in ObjectFolder("bench").object(effects.id(Objects.self)) }
        let puts = try await measure(names, writers) { try await store.put(bytes, as: $0) }
        let gets = try await measure(names, writers) { name in
            guard try await store.get(name).count == size else { throw ServiceError(.damaged, "other bytes") }
        }
        let writing = #""put_seconds":\#(puts.seconds),"put_ms":\#(puts.each)"#
        print(#"{\#(writing),"get_seconds":\#(gets.seconds),"get_ms":\#(gets.each)}"#)
    }

    private static func measure(
        _ names: [ObjectKey],
        _ writers: Int,
        _ body: @escaping @Sendable (ObjectKey) async throws -> Void
    ) async throws -> (seconds: Double, each: [Double]) {
        let clock = ContinuousClock()
        let start = clock.now
        let each = try await withThrowingTaskGroup(of: Double.self) { group in
            var times: [Double] = []
            for (index, name) in names.enumerated() {
                if index >= writers, let time = try await group.next() { times.append(time) }
                group.addTask { try await clock.measure { try await body(name) } / .milliseconds(1) }
            }
            for try await time in group { times.append(time) }
            return times
        }
        return (start.duration(to: clock.now) / .seconds(1), each)
    }
}
