import Foundation
import Kernel
package import Persistence
import PersistenceMySQL

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
    /// Opens a driver on one schema of a server, patient as `TestPatience` says.
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
        configuration.limits.connect = TestPatience.limit
        configuration.limits.wait = TestPatience.limit
        configuration.limits.read = TestPatience.limit
        configuration.limits.lock = TestPatience.limit
        return try MySQLDriver(configuration)
    }
}
