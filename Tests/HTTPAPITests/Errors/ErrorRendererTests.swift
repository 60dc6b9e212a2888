import HTTPAPI
import HTTPServer
import Kernel
import Testing

@Suite("Errors on the wire")
struct ErrorRendererTests {
    @Test(
        "have one status for each code",
        arguments: [
            (ServiceError.Code.invalidArgument, 400), (.unauthenticated, 401), (.permissionDenied, 403),
            (.notFound, 404),
            (.methodNotAllowed, 405), (.conflict, 409), (.failedPrecondition, 412), (.tooLarge, 413),
            (.unsupportedMediaType, 415), (.unprocessable, 422), (.rateLimited, 429), (.internalError, 500),
            (.unimplemented, 501), (.unavailable, 503), (.damaged, 500), (ServiceError.Code("new"), 500),
        ]
    )
    func map(code: ServiceError.Code, status: Int) async throws {
        let reply = try await LabReply(ErrorRenderer.response(to: ServiceError(code, "text")))

        #expect(reply.status == status)
        #expect(reply.text == #"{"code":\#(status),"message":"text"}"#)
        #expect(reply.headers["Content-Type"] == "application/json")
    }

    @Test("show their details in the words of the contract")
    func showDetails() async throws {
        let error = ServiceError(
            .conflict,
            "a \"quoted\" text\n",
            details: [
                .init(kind: "already_exists", attribute: "stackName", resource: "stack"),
                .init(kind: "custom", message: "m"),
            ]
        )

        let reply = try await LabReply(ErrorRenderer.response(to: error))

        #expect(
            reply.text == #"{"code":409,"message":"a \"quoted\" text\n","errors":"#
                + #"[{"resource":"stack","attribute":"stackName","errorType":"already_exists"},"#
                + #"{"resource":"","errorType":"custom","customMessage":"m"}]}"#
        )
    }

    @Test("say when to come back where that helps", arguments: [(nil, "1"), (30, "30")])
    func sayWhen(seconds: Int?, header: String) async throws {
        let error = ServiceError(.unavailable, "busy", retryAfter: seconds)

        let reply = try await LabReply(ErrorRenderer.response(to: error))
        let other = try await LabReply(ErrorRenderer.response(to: ServiceError(.conflict, "taken")))

        #expect(reply.headers["Retry-After"] == header)
        #expect(other.headers["Retry-After"] == nil)
    }

    @Test("have the form of RFC 6749 as well where a grant was refused")
    func rendersGrantErrors() async throws {
        let error = ServiceError(.invalidArgument, "Bad Request: it has expired", grantError: "invalid_grant")

        let reply = try await LabReply(ErrorRenderer.response(to: error))

        #expect(
            reply.text == #"{"error":"invalid_grant","error_description":"Bad Request: it has expired","#
                + #""code":400,"message":"Bad Request: it has expired"}"#
        )
    }

    @Test("say how to log in", arguments: [ServiceError.Code.unauthenticated])
    func sayHow(code: ServiceError.Code) async throws {
        let reply = try await LabReply(ErrorRenderer.response(to: ServiceError(code, "x")))

        #expect(reply.headers["WWW-Authenticate"] == "token")
    }

    @Test(
        "have a body for whatever the server refuses by itself",
        arguments: [400, 408, 413, 414, 417, 431, 500, 501, 503, 418]
    )
    func nameRefusals(status: Int) {
        let text = String(decoding: ErrorRenderer.body(for: HTTPStatus(status)), as: UTF8.self)

        #expect(text.hasPrefix(#"{"code":\#(status),"message":""#))
    }
}
