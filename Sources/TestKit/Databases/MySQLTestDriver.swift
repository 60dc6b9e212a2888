package import Persistence

/// A MySQL or MariaDB server for tests, as its variable names it.
package struct MySQLTestServer: Sendable, Equatable {
    package var host: String
    package var port: Int
    package var user: String
    package var password: String
    /// The path of a certificate; nil for a connection in clear text.
    package var certificateAuthority: String?

    package init(host: String, port: Int, user: String, password: String, certificateAuthority: String?) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.certificateAuthority = certificateAuthority
    }
}

/// How a driver for such a server is made.
package enum MySQLTestDriver {
    /// Opens a driver on one schema of a server; nil while there is no driver for it.
    package static let make: (@Sendable (MySQLTestServer, _ schema: String) async throws -> any DatabaseDriver)? = nil
}
