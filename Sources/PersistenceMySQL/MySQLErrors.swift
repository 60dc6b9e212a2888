package import Persistence

/// An error as the client library reports it: numbers below 2000 and from 3000 come from the server, those of 2000 and
/// 5000 from the library.
package struct MySQLError: Error, Equatable {
    package let code: Int
    package let message: String

    package init(code: Int, message: String) {
        self.code = code
        self.message = message
    }
}

/// What an error means for the caller and for the connection it came from.
package struct MySQLVerdict {
    package enum Connection: Equatable {
        /// Goes on being used.
        case keep
        /// Its state is unknown or it is gone.
        case drop
        /// The server is no longer the one that takes writes: every connection to it is in the wrong place.
        case dropAll
    }

    package let error: DatabaseError
    package let connection: Connection
    /// The transaction cannot go on, although the closure might want to.
    package let endsTransaction: Bool

    init(_ error: DatabaseError, _ connection: Connection = .keep, endsTransaction: Bool = false) {
        self.error = error
        self.connection = connection
        self.endsTransaction = endsTransaction || connection != .keep
    }
}

/// The one place that knows what the numbers mean.
///
/// Sources: the error references of MySQL 9 and MariaDB 10.11, which agree below 1900 and use the numbers above for
/// different things.
extension MySQLVerdict {
    /// Judges the error of a statement.
    ///
    /// - Parameters:
    ///   - sql: what was run, for the log; it holds no values.
    ///   - isReadOnly: in a transaction that may not write, a refusal to write is a mistake of ours, not of the server.
    package static func statement(_ failure: MySQLError, sql: String, isReadOnly: Bool) -> MySQLVerdict {
        let text = "\(failure.message) (\(failure.code))"
        switch failure.code {
        // Deadlock; lock wait; row changed since the snapshot (MariaDB); a transaction that must be run again; a locked
        // row and NOWAIT. The first rolled the transaction back, the others leave it half done.
        case 1213, 1205, 1020, 1614, 3572:
            return MySQLVerdict(.retryable(text), endsTransaction: true)
        // The session is another one than the statement was prepared in, as behind a proxy.
        case 1243:
            return MySQLVerdict(.retryable(text), .drop)
        case 1062, 1169, 1586:
            return MySQLVerdict(.duplicate(key: duplicateKey(in: failure.message)))
        case 1792 where isReadOnly:
            return MySQLVerdict(.statement(code: failure.code, message: failure.message, sql: sql))
        case 1290, 1792, 1836:
            return MySQLVerdict(.unavailable(text), .dropAll)
        // A statement that ran longer than the server was told to let it (MariaDB, MySQL), or that somebody stopped.
        case 1969, 3024, 1317:
            return MySQLVerdict(.unavailable(text), endsTransaction: true)
        // Out of space or memory, table full, too many locks.
        case 3, 28, 1021, 1037, 1038, 1041, 1114, 1206, 1030:
            return MySQLVerdict(.unavailable(text), endsTransaction: true)
        case let code where connectionIsLost(code):
            return MySQLVerdict(.unavailable(text), .drop)
        case 126, 127, 144, 145, 1034, 1035, 1194, 1195, 1712, 1877:
            return MySQLVerdict(.corrupt(text), endsTransaction: true)
        // The library lost the thread of the conversation.
        case 2000, 2008, 2014, 2027, 5000...5999:
            return MySQLVerdict(.statement(code: failure.code, message: failure.message, sql: sql), .drop)
        default:
            return MySQLVerdict(.statement(code: failure.code, message: failure.message, sql: sql))
        }
    }

    /// Judges the error of a commit: all but a few mean that nobody knows whether it happened.
    package static func commit(_ failure: MySQLError) -> MySQLVerdict {
        let text = "\(failure.message) (\(failure.code))"
        switch failure.code {
        // Deadlock, lock wait, and refusals of replication plug-ins before the engine was asked.
        case 1213, 1205, 3101, 3572:
            return MySQLVerdict(.retryable(text), .drop)
        case 1290, 1792, 1836:
            return MySQLVerdict(.unavailable(text), .dropAll)
        default:
            return MySQLVerdict(.unknownCommit(text), .drop)
        }
    }

    /// Whether the connection is gone: the client library's own codes, a server that ends, network errors that the
    /// server noticed, a session that was killed (1927 on MariaDB, 3169 on MySQL) or was idle for too long (4031).
    static func connectionIsLost(_ code: Int) -> Bool {
        switch code {
        case 2001...2006, 2009...2013, 2026, 2055, 1040, 1053, 1077, 1079, 1152...1161, 1184, 1203, 1226, 1927, 3169,
            4031:
            true
        default:
            false
        }
    }

    /// The name of the key in a message like `Duplicate entry 'a' for key 'stacks.by_name'`.
    ///
    /// The last quoted part, because the entry before it may hold quotes itself; without the table that MySQL puts in
    /// front since 8.0.19. Sessions speak English, so the form is known.
    package static func duplicateKey(in message: String) -> String {
        let parts = message.split(separator: "'", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return "" }
        let quoted = parts[parts.count - 2]
        return String(quoted.split(separator: ".").last ?? quoted)
    }
}
