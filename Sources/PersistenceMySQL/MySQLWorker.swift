import Kernel
import Persistence

/// A thread that owns one connection and runs one job after the other on it.
final class MySQLWorker: Sendable {
    enum Message: Sendable {
        case run(MySQLJob)
        case end
    }

    /// Part of the thread's name; free again when the thread ends.
    let number: Int
    let mailbox = Mailbox<Message>()
    private let pool: MySQLPool

    init(pool: MySQLPool, number: Int) {
        self.pool = pool
        self.number = number
    }

    func start(_ job: MySQLJob) {
        NamedThread.start(name: "mysql-\(number)") { [self] in
            var next: MySQLJob? = job
            while let job = next {
                guard work(first: job) else { return }
                next = pool.end(self)
            }
        }
    }

    /// Runs jobs until the thread is to end, and closes the connection.
    ///
    /// - Returns: false when the pool counts on this thread no longer.
    private func work(first: MySQLJob) -> Bool {
        var place = Place()
        var next: MySQLJob? = first
        while let job = next {
            if job.start(), !serve(job, &place) { return false }
            next = wait(place)
            place.hasAnswered = false
        }
        return true
    }

    /// The connection of the thread and what it was made for.
    private struct Place {
        var connection: MySQLConnection?
        var generation = 0
        var wasReading = false
        /// Whether the last job got its answer from the connection.
        var hasAnswered = false

        var usableGeneration: Int? { connection == nil ? nil : generation }
    }

    /// Waits for the next job; nil when the thread is to end.
    private func wait(_ place: Place) -> MySQLJob? {
        switch pool.next(
            for: self,
            hasAnswered: place.hasAnswered,
            generation: place.usableGeneration,
            wasReading: place.wasReading
        ) {
        case .run(let job):
            return job
        case .end:
            return nil
        case .park:
            if let message = mailbox.take(within: pool.configuration.limits.idle) { return job(of: message) }
            // Nothing came. Unless something is on its way at this very moment, that is the end.
            return pool.retire(self) ? nil : mailbox.take().flatMap(job)
        }
    }

    private func job(of message: Message) -> MySQLJob? {
        switch message {
        case .run(let job): job
        case .end: nil
        }
    }

    /// Runs one job.
    ///
    /// - Returns: false when the job was given to the other threads, and this one is to end.
    private func serve(_ job: MySQLJob, _ place: inout Place) -> Bool {
        guard job.deadline > .now else {
            job.fail(DatabaseError.unavailable("the database is too busy"))
            return true
        }
        let connection: MySQLConnection
        do {
            connection = try begin(job.mode, &place)
        } catch let error as MySQLConnectError {
            return handOver(job, error)
        } catch {
            job.fail(error)
            return true
        }
        if job.run(on: connection.socket) {
            job.work(connection, job)
            place.hasAnswered = true
        } else {
            connection.rollback()
        }
        place.wasReading = job.mode == .read
        settle(&place)
        return true
    }

    /// No connection came about.
    ///
    /// Where the server has no room for more, the connections that exist take the job.
    private func handOver(_ job: MySQLJob, _ error: MySQLConnectError) -> Bool {
        if error.kind == .crowded {
            switch pool.requeue(job, from: self) {
            case .done: return false
            case .answered: return true
            case .noOthers: break
            }
        }
        job.fail(job.mode == nil ? error : DatabaseError.unavailable(error.description))
        return true
    }

    /// Gives a connection on which a transaction of this kind has begun.
    ///
    /// An old connection that turns out to be dead, or to lead to a server that takes no writes any more, is replaced
    /// once: nothing has happened yet, so nothing can happen twice.
    private func begin(_ mode: MySQLConnection.Mode?, _ place: inout Place) throws -> MySQLConnection {
        if let connection = reusable(&place) {
            do {
                try connection.begin(mode)
                return connection
            } catch {
                let isHopeless = connection.isUsable
                settle(&place)
                if isHopeless { throw error }
            }
        }
        place.generation = pool.generation
        let connection = try MySQLConnection(pool.configuration, authority: pool.authority)
        place.connection = connection
        do {
            try connection.begin(mode)
            return connection
        } catch {
            connection.rollback()
            settle(&place)
            throw error
        }
    }

    /// The connection of the last job, unless it is too old or dead.
    private func reusable(_ place: inout Place) -> MySQLConnection? {
        guard let connection = place.connection else { return nil }
        let limits = pool.configuration.limits
        let isFresh =
            place.generation == pool.generation
            && connection.opened.duration(to: .now) < limits.age
            && (connection.lastUse.duration(to: .now) < limits.silence || connection.ping())
        if isFresh { return connection }
        place.connection = nil
        return nil
    }

    /// Drops what the last job's errors say must be dropped.
    private func settle(_ place: inout Place) {
        guard let fate = place.connection?.fate, fate != .keep else { return }
        place.connection = nil
        if fate == .dropAll { pool.dropAll() }
    }
}

extension MySQLConnection {
    /// Begins a transaction, if one is wanted, with the time that its kind has.
    fileprivate func begin(_ mode: Mode?) throws {
        switch mode {
        case nil: break
        case .read: try begin(.read, deadline: .now + configuration.limits.read)
        case .write: try begin(.write)
        }
    }
}
