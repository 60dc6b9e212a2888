package import Kernel
import Persistence

/// Makes the database and the service's account with the rights of an administrator (`spec/self-hosting.md` §1.12).
///
/// It may run again and beside itself: what exists stays as it is, passwords too. Nothing is made that the service could
/// not be given by hand with `CREATE DATABASE`, `CREATE USER` and `GRANT`.
package struct MySQLSetup: Sendable {
    /// Who may make databases and accounts.
    package struct Administrator: Sendable {
        package let user: String
        package let password: Redacted<String>

        package init(user: String, password: Redacted<String>) {
            self.user = user
            self.password = password
        }
    }

    /// What was found or made, for people.
    package enum Step: Sendable, Equatable, CustomStringConvertible {
        case database(String, isNew: Bool)
        case account(String, isNew: Bool)
        case rights(user: String, database: String)

        package var description: String {
            switch self {
            case .database(let name, let isNew): "database \(name) \(isNew ? "made" : "was there")"
            case .account(let name, let isNew): "account \(name) \(isNew ? "made" : "was there")"
            case .rights(let user, let database): "account \(user) has every right on database \(database)"
            }
        }
    }

    private let service: MySQLConfiguration
    private let administrator: MySQLConfiguration
    private let makesAccount: Bool

    /// - Parameters:
    ///   - service: what the service will connect with.
    ///   - makesAccount: whether to make its account as well, for connections from anywhere, with its rights.
    package init(for service: MySQLConfiguration, by administrator: Administrator, makesAccount: Bool) {
        self.service = service
        self.administrator = service.connecting(as: administrator, to: "")
        self.makesAccount = makesAccount
    }

    /// Makes what is missing.
    ///
    /// - Throws: `MySQLConnectError` when no connection comes about; `MySQLSetupError` for what the server refuses.
    package func run(_ report: @escaping @Sendable (Step) -> Void) async throws {
        let thread = DedicatedThread(name: "mysql-setup", queue: 1)
        defer { thread.stop() }
        try await thread.run(deadline: administrator.limits.wait) {
            let connection = try connect()
            let session = SetupSession(connection: connection, secrets: [service.password, administrator.password])
            // Several may be started at once, as before each of several servers.
            _ = try session.rows("SELECT GET_LOCK('cairn.setup', 60)")
            report(try makeDatabase(session))
            guard makesAccount else { return }
            report(try makeAccount(session))
            report(try grant(session))
        }
    }

    private func connect() throws -> MySQLConnection {
        var authority: CertificateFile?
        if let tls = administrator.tls { authority = try CertificateFile(tls.certificateAuthority) }
        do throws(MySQLConnectError) {
            return try MySQLConnection(administrator, authority: authority, purpose: .migration)
        } catch {
            guard error.kind == .accessDenied else { throw error }
            let name = administrator.user
            throw MySQLSetupError(action: "log in as '\(name)'", code: error.code, message: error.detail)
        }
    }

    private func makeDatabase(_ session: SetupSession) throws(MySQLSetupError) -> Step {
        let name = service.database
        let isNew = try session.run(
            "CREATE DATABASE \(Self.quoted(name)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            as: "CREATE DATABASE \(name)",
            unless: 1007
        )
        return .database(name, isNew: isNew)
    }

    private func makeAccount(_ session: SetupSession) throws(MySQLSetupError) -> Step {
        let isNew = try session.run(
            "CREATE USER \(account) IDENTIFIED BY \(Self.literal(service.password.reveal()))",
            as: "CREATE USER \(account)",
            // It exists: the one number for every account that cannot be made.
            unless: 1396
        )
        return .account(service.user, isNew: isNew)
    }

    private func grant(_ session: SetupSession) throws(MySQLSetupError) -> Step {
        let partial = try session.rows("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'").first?.last ?? "OFF"
        // Otherwise `_` and `%` stand for other names as well.
        let pattern =
            partial == "ON" ? service.database : service.database.escaping(["_", "%"], with: "\\")
        let text = "GRANT ALL PRIVILEGES ON \(Self.quoted(pattern)).* TO \(account)"
        try session.run(text, as: text)
        return .rights(user: service.user, database: service.database)
    }

    private var account: String { "\(Self.literal(service.user))@'%'" }

    private static func quoted(_ name: String) -> String {
        "`\(name.escaping(["`"], with: "`"))`"
    }

    /// In a session where a backslash is a character like any other.
    private static func literal(_ text: String) -> String {
        "'\(text.escaping(["'"], with: "'"))'"
    }
}

/// What the server refused to the administrator.
package struct MySQLSetupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What it wanted: a statement, without what is secret in it.
    package let action: String
    package let code: Int
    package let message: String

    package var description: String {
        "the administrator of the database server (MYSQL_ROOT_…) cannot \(action): \(message) (\(code))"
    }
}

extension MySQLConfiguration {
    /// The same server with another account.
    ///
    /// - Parameter database: empty for none.
    package func connecting(as administrator: MySQLSetup.Administrator, to database: String) -> MySQLConfiguration {
        var configuration = self
        configuration.user = administrator.user
        configuration.password = administrator.password
        configuration.database = database
        return configuration
    }
}

/// Statements with names and secrets in their text: there is no other way to write these.
private struct SetupSession {
    let connection: MySQLConnection
    let secrets: [Redacted<String>]

    /// Runs a statement.
    ///
    /// - Parameters:
    ///   - shown: how an error writes it.
    ///   - code: the error that means that there is nothing to do.
    /// - Returns: whether it did something.
    @discardableResult
    func run(_ text: String, as shown: String, unless code: Int? = nil) throws(MySQLSetupError) -> Bool {
        do {
            try connection.command(text)
            return true
        } catch {
            let failure = connection.lastError
            if failure.code == code { return false }
            throw MySQLSetupError(action: shown, code: failure.code, message: plain(failure.message))
        }
    }

    func rows(_ text: String) throws(MySQLSetupError) -> [[String?]] {
        do {
            return try connection.texts(text)
        } catch {
            let failure = connection.lastError
            throw MySQLSetupError(action: text, code: failure.code, message: plain(failure.message))
        }
    }

    /// Servers repeat the text that they do not understand.
    private func plain(_ message: String) -> String {
        let isTold = secrets.contains { secret in
            let text = secret.reveal()
            return !text.isEmpty && message.contains(text)
        }
        return isTold ? "what the server said has a password in it" : message
    }
}

extension String {
    fileprivate func escaping(_ characters: Set<Character>, with escape: Character) -> String {
        var text = ""
        for character in self {
            if characters.contains(character) { text.append(escape) }
            text.append(character)
        }
        return text
    }
}
