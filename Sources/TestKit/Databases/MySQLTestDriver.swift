import Foundation
import Kernel
package import Persistence
package import PersistenceMySQL

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
    /// As patient as `TestPatience` says.
    package static var limits: MySQLConfiguration.Limits {
        var limits = MySQLConfiguration.Limits()
        limits.connect = TestPatience.limit
        limits.wait = TestPatience.limit
        limits.read = TestPatience.limit
        limits.lock = TestPatience.limit
        return limits
    }

    /// Opens a driver on one schema of a server.
    package static func make(_ server: MySQLTestServer, schema: String) async throws -> any DatabaseDriver {
        var configuration = MySQLConfiguration(
            endpoint: MySQLEndpoint(host: server.host, port: server.port),
            database: schema,
            user: server.user,
            password: Redacted(server.password),
            tls: try server.certificateAuthority.map { path in
                try MySQLConfiguration.TLS(
                    certificateAuthority: String(contentsOfFile: path, encoding: .utf8),
                    minimumVersion: .v12
                )
            }
        )
        configuration.limits = limits
        return try MySQLDriver(configuration)
    }
}
