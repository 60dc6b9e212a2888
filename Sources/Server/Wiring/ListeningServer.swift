package import HTTPAPI
package import HTTPServer
import Kernel

/// The HTTP server as the settings want it, with the pipeline behind it.
package enum ListeningServer {
    package static func make(
        _ configuration: ListenerConfiguration,
        pipeline: Pipeline
    ) -> HTTPServer.Server {
        var server = HTTPServerConfiguration(addresses: addresses(configuration))
        server.readyAnswer = { reason in
            let status = ReadyAnswer.wording(reason).status
            return ReadyAnswer(
                status: status,
                contentType: "application/json",
                body: ErrorRenderer.body(for: status)
            )
        }
        if let tls = configuration.tls {
            server.tls = HTTPServerConfiguration.TLS(
                certificate: Array(tls.certificate.utf8),
                key: Redacted(Array(tls.privateKey.reveal().utf8)),
                minimumVersion: tls.minimumVersion == "1.3" ? .v1_3 : .v1_2
            )
        }
        return HTTPServer.Server(
            configuration: server,
            inline: { head in pipeline.inline(head) },
            handler: { request in await pipeline.respond(to: request) }
        )
    }

    private static func addresses(_ configuration: ListenerConfiguration) -> [HTTPServerConfiguration.Address] {
        [HTTPServerConfiguration.Address(host: configuration.address ?? "::", port: configuration.port)]
    }
}
