package import HTTPAPI
package import HTTPServer
package import Kernel

/// The HTTP server as the settings want it, with the pipeline behind it.
package enum ListeningServer {
    package static func make(
        _ configuration: ListenerConfiguration,
        pipeline: Pipeline
    ) -> HTTPServer.Server {
        var server = HTTPServerConfiguration(addresses: addresses(configuration))
        server.limits.connectionsPerAddress = configuration.connectionsPerAddress
        server.executor = TaskThreads(name: "request")
        server.readyAnswer = { reason in
            let status = ReadyAnswer.wording(reason).status
            return ReadyAnswer(
                status: status,
                contentType: "application/json",
                body: ErrorRenderer.body(for: status)
            )
        }
        server.tls = tls(configuration)
        return HTTPServer.Server(
            configuration: server,
            inline: { head in pipeline.inline(head) },
            handler: { request in await pipeline.respond(to: request) }
        )
    }

    /// Tries certificate and key before anything is opened or written.
    ///
    /// - Throws: what is wrong with them, as a problem of the settings.
    package static func check(_ configuration: ListenerConfiguration) throws(ConfigurationError) {
        do {
            try tls(configuration)?.check()
        } catch {
            let reason = (error as? ServiceError)?.message ?? "\(error)"
            throw ConfigurationError([
                ConfigurationError.Problem(
                    setting: "API_TLS_CERTIFICATE",
                    text: "cannot be used together with API_TLS_PRIVATE_KEY: \(reason)"
                )
            ])
        }
    }

    private static func tls(_ configuration: ListenerConfiguration) -> HTTPServerConfiguration.TLS? {
        configuration.tls.map { tls in
            HTTPServerConfiguration.TLS(
                certificate: Array(tls.certificate.utf8),
                key: Redacted(Array(tls.privateKey.reveal().utf8)),
                minimumVersion: tls.minimumVersion == "1.3" ? .v1_3 : .v1_2
            )
        }
    }

    private static func addresses(_ configuration: ListenerConfiguration) -> [HTTPServerConfiguration.Address] {
        [HTTPServerConfiguration.Address(host: configuration.address ?? "::", port: configuration.port)]
    }
}
