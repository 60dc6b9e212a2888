import HTTPServer
import Kernel

/// The HTTP server without anything above it: what a request costs before Cairn looks at it.
///
/// `GET /loop` is answered on the loop thread, any other `GET` by a task, and `POST` reads its body to the end.
@main
struct HTTPSink {
    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            throw ServiceError.invalid("arguments", "are a port")
        }
        var configuration = HTTPServerConfiguration(addresses: [.init(host: "127.0.0.1", port: port)])
        configuration.loops = 2
        let server = Server(configuration: configuration, inline: answerOnLoop, handler: answer)
        try await server.run()
    }

    private static let json: HTTPHeaders = ["Content-Type": "application/json"]
    private static let body = Array(#"{"status":"ok"}"#.utf8)

    private static func answerOnLoop(_ head: HTTPRequestHead) -> HTTPResponse? {
        head.target.path == "/loop" ? HTTPResponse(.ok, headers: json, body: .bytes(body)) : nil
    }

    private static func answer(_ request: HTTPRequest) async -> HTTPResponse {
        var count = 0
        do {
            for try await piece in request.body { count += piece.count }
        } catch {
            return HTTPResponse(.badRequest)
        }
        guard request.method == .post else { return HTTPResponse(.ok, headers: json, body: .bytes(body)) }
        return HTTPResponse(.ok, headers: json, body: .bytes(Array(#"{"bytes":\#(count)}"#.utf8)))
    }
}
