import Foundation

extension MySQLTestServer {
    /// Reads `mysql://user:password@host:port/?ca=path`, with percent escapes.
    package init(url text: String) throws {
        guard let parts = URLComponents(string: text), parts.scheme == "mysql", let host = parts.host,
            let user = parts.user
        else { throw EngineMissing(description: "\(text) is not mysql://user:password@host:port/?ca=path") }
        self.host = host
        port = parts.port ?? 3306
        self.user = user
        password = parts.password ?? ""
        certificateAuthority = parts.queryItems?.first { $0.name == "ca" }?.value
    }

    init(_ engine: Engine) throws {
        let value = engine.variable.flatMap { ProcessInfo.processInfo.environment[$0] }
        guard let value else { throw EngineMissing(description: "\(engine.rawValue) has no server") }
        try self.init(url: value)
    }
}
