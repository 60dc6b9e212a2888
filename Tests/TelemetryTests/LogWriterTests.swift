import Foundation
import Kernel
import Telemetry
import Testing

@Suite("Writer of the log", .timeLimit(.minutes(5)))
struct LogWriterTests {
    /// A pipe whose reading end the test holds.
    private final class Pipe: Sendable {
        let reader: Int32
        let writer: Int32

        init() {
            var ends: [Int32] = [0, 0]
            precondition(pipe(&ends) == 0)
            reader = ends[0]
            writer = ends[1]
        }

        /// Everything up to the end, which comes when the writing end is closed.
        func readAll() -> String {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(reader, &chunk, chunk.count)
                if count <= 0 { break }
                bytes += chunk[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func entry(_ number: Int) -> LogEntry {
        LogEntry(time: Timestamp(seconds: 1), level: .info, message: "m", fields: [LogField("n", .integer(number))])
    }

    private func writer(_ descriptor: Int32, limit: Int = 1_048_576) -> LogWriter {
        LogWriter(descriptor: descriptor, format: .json, limit: limit) { Timestamp(seconds: 2) }
    }

    @Test("writes whole lines in order, from one thread")
    func order() {
        let pipe = Pipe()
        let writer = writer(pipe.writer)

        for number in 0..<500 { writer.write(entry(number)) }
        let isFlushed = writer.flush(within: .seconds(10))
        close(pipe.writer)

        let lines = pipe.readAll().split(separator: "\n")
        #expect(isFlushed)
        #expect(lines.count == 500)
        #expect(lines.enumerated().allSatisfy { $1.hasSuffix("\"n\":\($0)}") })
        #expect(writer.dropped == 0)
        writer.stop()
    }

    @Test("keeps lines whole when many threads write")
    func threads() async {
        let pipe = Pipe()
        let writer = writer(pipe.writer)

        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<500 { writer.write(entry(task * 1000 + number)) }
                }
            }
        }
        let reading = Thread.reading(pipe.readAll)
        #expect(writer.flush(within: .seconds(10)))
        close(pipe.writer)

        let lines = reading().split(separator: "\n")
        #expect(Set(lines).count == 4000)
        #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        writer.stop()
    }

    @Test("never holds a caller: with a stuck reader it drops, counts, and says so later")
    func drops() {
        let pipe = Pipe()
        let writer = writer(pipe.writer, limit: 8192)
        let start = ContinuousClock.now

        for number in 0..<20_000 { writer.write(entry(number)) }
        let isFlushed = writer.flush(within: .milliseconds(50))

        #expect(ContinuousClock.now - start < .seconds(40))
        #expect(!isFlushed)
        #expect(writer.dropped > 10_000)
        let reading = Thread.reading(pipe.readAll)
        #expect(writer.flush(within: .seconds(10)))
        writer.write(entry(-1))
        #expect(writer.flush(within: .seconds(10)))
        close(pipe.writer)
        let lines = reading().split(separator: "\n")
        let notices = lines.filter { $0.contains("\"message\":\"log lines were dropped\"") }
        let counted = notices.compactMap { Int($0.split(separator: ":").last?.dropLast() ?? "") }
        #expect(counted.reduce(0, +) == writer.dropped)
        #expect(lines.count - notices.count + writer.dropped == 20_001)
        writer.stop()
    }

    @Test("counts lines that nobody reads any more, and lives on")
    func closedReader() {
        let pipe = Pipe()
        let writer = writer(pipe.writer)
        close(pipe.reader)

        writer.write(entry(1))
        #expect(writer.flush(within: .seconds(10)))
        writer.write(entry(2))
        #expect(writer.flush(within: .seconds(10)))

        #expect(writer.dropped == 2)
        close(pipe.writer)
        writer.stop()
    }

    @Test("waits for a descriptor that does not block")
    func nonBlocking() {
        let pipe = Pipe()
        _ = fcntl(pipe.writer, F_SETFL, O_NONBLOCK)
        let writer = writer(pipe.writer)

        for number in 0..<10_000 { writer.write(entry(number)) }
        let reading = Thread.reading(pipe.readAll)
        #expect(writer.flush(within: .seconds(10)))
        close(pipe.writer)

        #expect(reading().split(separator: "\n").count == 10_000)
        writer.stop()
    }

    @Test("writes what waits before it stops, and drops what comes after")
    func stops() {
        let pipe = Pipe()
        let writer = writer(pipe.writer)

        writer.write(entry(1))
        writer.stop()
        #expect(writer.flush(within: .seconds(10)))
        writer.write(entry(2))
        close(pipe.writer)

        #expect(pipe.readAll().split(separator: "\n").count == 1)
        #expect(writer.dropped == 1)
    }
}

extension Thread {
    /// Runs `body` on a thread of its own; the answer waits for its result.
    fileprivate static func reading(_ body: @escaping @Sendable () -> String) -> @Sendable () -> String {
        let box = Box()
        Thread.detachNewThread {
            let text = body()
            box.text.withLock { $0 = text }
            box.isDone.signal()
        }
        return {
            box.isDone.wait()
            return box.text.withLock { $0 }
        }
    }

    private final class Box: Sendable {
        let isDone = DispatchSemaphore(value: 0)
        let text = Locked("")
    }
}
