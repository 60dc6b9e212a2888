import CSQLite
import Persistence

/// SQLite's result codes in the words of `DatabaseError`; the only place that knows them.
struct SQLiteFailure: Error {
    /// The extended result code.
    let code: Int32
    let message: String
    let sql: String

    private var primary: Int32 { code & 0xFF }

    /// Whether the connection counts as lost.
    ///
    /// After a failed sync later calls may succeed although data is gone; other failures of the file may be cured by
    /// opening it anew.
    var needsNewConnection: Bool {
        primary == SQLITE_IOERR || primary == SQLITE_NOTADB || primary == SQLITE_CANTOPEN
            || code == Code.readOnlyMoved
    }

    var isInterrupt: Bool { primary == SQLITE_INTERRUPT }
    /// Whether a commit that ended in it may have happened all the same: the log can hold it, unsynced or unannounced.
    var leavesCommitUnknown: Bool { primary == SQLITE_IOERR }

    var isBusy: Bool { primary == SQLITE_BUSY }
    var isDamage: Bool { primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB }
    var isNotADatabase: Bool { primary == SQLITE_NOTADB }

    /// - Parameter mayWrite: whether the connection was one for writing; on another one a refused write is a mistake of
    ///   ours.
    func databaseError(mayWrite: Bool) -> DatabaseError {
        switch primary {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL:
            return .retryable("SQLite: \(message) (\(code))")
        case SQLITE_CONSTRAINT where Code.duplicates.contains(code):
            return .duplicate(key: duplicateKey)
        case SQLITE_FULL:
            return .unavailable("the disk of the database is full (\(code))")
        case SQLITE_READONLY where mayWrite:
            return .unavailable("the database file is read-only: \(message) (\(code))")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return .corrupt("SQLite: \(message) (\(code))")
        case SQLITE_IOERR where code == Code.ioCorruptFileSystem || code == Code.ioData:
            return .corrupt("SQLite: \(message) (\(code))")
        case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_NOMEM, SQLITE_NOLFS, SQLITE_PERM, SQLITE_AUTH:
            return .unavailable("SQLite: \(message) (\(code))")
        default:
            return .statement(code: Int(code), message: message, sql: sql)
        }
    }

    /// The name that `Table.Index.name(on:)` gives the key, as MySQL reports it; `PRIMARY` for the primary key.
    ///
    /// SQLite says `UNIQUE constraint failed: stacks.project, stacks.name`.
    private var duplicateKey: String {
        guard code == Code.unique, let colon = message.firstIndex(of: ":") else { return "PRIMARY" }
        let columns = message[message.index(after: colon)...].split(separator: ",").map { part in
            part.drop { $0 == " " }.split(separator: ".", maxSplits: 1)
        }
        guard let table = columns.first?.first else { return "" }
        return ([table] + columns.compactMap(\.last)).joined(separator: "_")
    }

    /// Extended codes, which are macros of casts and shifts that Swift does not import.
    enum Code {
        static let ioData = SQLITE_IOERR | 32 << 8
        static let ioCorruptFileSystem = SQLITE_IOERR | 33 << 8
        static let readOnlyMoved = SQLITE_READONLY | 4 << 8
        static let unique = SQLITE_CONSTRAINT | 8 << 8
        static let duplicates: Set<Int32> = [
            SQLITE_CONSTRAINT | 6 << 8, unique, SQLITE_CONSTRAINT | 10 << 8,
        ]
    }
}

/// Why a database could not be opened; each is one line for the operator.
package enum SQLiteOpenError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The folder or a file in it cannot be used.
    case access(String)
    /// Another server has the folder.
    case locked(folder: String, process: Int?)
    case notADatabase(path: String)
    /// A setting did not come back as it was set.
    case setting(name: String, wanted: String, got: String)
    /// The library cannot be used.
    case library(String)
    /// Anything else that SQLite said.
    case engine(path: String, code: Int, message: String)

    package var description: String {
        switch self {
        case .access(let text):
            text
        case .locked(let folder, let process):
            "\(folder) is in use by another server\(process.map { " (process \($0))" } ?? ""): stop it first, "
                + "or choose another folder"
        case .notADatabase(let path):
            "\(path) is not a SQLite database, or it is damaged"
        case .setting(let name, let wanted, let got):
            "SQLite did not take \(name)=\(wanted), it is \(got)"
        case .library(let text):
            text
        case .engine(let path, let code, let message):
            "\(path) cannot be opened: \(message) (\(code))"
        }
    }
}
