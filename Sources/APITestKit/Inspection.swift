import Contract
import HTTPAPI
import HTTPServer
import Kernel
import Testing

/// Looks at an answer for what no answer may have, whatever the test is about.
struct Inspection {
    let request: TestRequest
    /// Nil when no route answers the request.
    let route: Route?
    let reply: TestReply
    let exchange: Exchange
    /// Audit actions that were written meanwhile; nil when the log could not be read.
    let newActions: [String]?
    /// Whether no other request ran meanwhile, so that the new actions are this one's.
    let wasAlone: Bool
    let location: SourceLocation

    func run() {
        checkAdmission()
        checkForm()
        checkAudit()
    }

    private func checkAdmission() {
        guard route?.access != "anonymous", exchange.wasReadTooEarly else { return }
        report("read the body before its sender was admitted")
    }

    private func checkForm() {
        if reply.headers.values(for: "X-Pulumi-Request-ID").count != 1 { report("needs one X-Pulumi-Request-ID") }
        if reply.status == 204 || reply.status == 304, !reply.body.isEmpty {
            report("has a body, which \(reply.status) must not have")
        }
        guard reply.status >= 400, request.method != "HEAD", reply.headers["Content-Encoding"] == nil else { return }
        // Probes answer 503 in a form of their own.
        if reply.status == 503, route?.descriptor.tag == "status" { return }
        // Pages for people say it in words.
        if reply.headers["Content-Type"]?.hasPrefix("text/html") == true { return checkPage() }
        if reply.json["code"].int != reply.status { report("needs the status as the number 'code' in its body") }
        if reply.message?.isEmpty ?? true { report("needs a 'message' in its body") }
        if reply.headers["Content-Type"] != "application/json" { report("needs the content type of JSON") }
    }

    private func checkPage() {
        if route?.descriptor.responseContentTypes.contains("text/html") != true {
            report("is a page, and must be JSON")
        }
    }

    private func checkAudit() {
        guard let newActions else { return }
        guard reply.status < 400 else {
            if wasAlone, !newActions.isEmpty, !request.mayBeAuditedWhenRefused {
                report("was refused and wrote \(newActions) all the same")
            }
            return
        }
        switch route?.audit {
        case .action(let action):
            if request.mustBeAudited, !newActions.contains(action.slug) {
                report("changed something without the audit event '\(action)'")
            }
        case .query:
            if wasAlone, !newActions.isEmpty { report("changes nothing by its route and wrote \(newActions)") }
        case .unaudited, .unimplemented, nil:
            break
        }
    }

    private func report(_ problem: String) {
        Issue.record("The answer to \(request.name) \(problem): \(reply)", sourceLocation: location)
    }
}
