import Contract
package import HTTPAPI
import HTTPServer
import Kernel

/// `/cli-login`, where `pulumi login` sends the browser, and `/welcome/cli`.
package struct BrowserLoginRoutes: RouteGroup {
    private static let refused = "This is no access token of a person, or it is no longer good."
    private static let expired = "This form is too old, or it was not sent by this server's own page."

    private let logins: BrowserLoginService

    package init(logins: BrowserLoginService) {
        self.logins = logins
    }

    package func register(on routes: inout RouteTable) {
        routes.query(BrowserLoginOperations.Form.self, access: .anonymous, handler: form)
        routes.mutation(
            BrowserLoginOperations.Submit.self,
            access: .anonymous,
            audit: .personalTokenCreated,
            options: RouteOptions(limits: BodyLimits(16_384)),
            handler: submit
        )
        routes.inline(BrowserLoginOperations.Style.self) { WebPage.css(LoginPages.style) }
        routes.inline(BrowserLoginOperations.Welcome.self) { WebPage.html(LoginPages.welcome) }
    }

    func form(_ call: Call<BrowserLoginOperations.Form>) async throws -> Reply<WebPage> {
        let session: LoginSession
        do {
            session = try LoginSession(call.query.parameters)
        } catch {
            return Self.problem(error.text)
        }
        let check = logins.newFormCheck(call.context.headers)
        return Reply(
            .html(
                LoginPages.form(session, check: check.text(for: session)),
                formTarget: session.origin,
                cookie: check.cookie
            )
        )
    }

    func submit(_ call: Call<BrowserLoginOperations.Submit>) async throws -> Reply<WebPage> {
        let fields: QueryParameters
        let session: LoginSession
        guard call.content.contentType == "application/x-www-form-urlencoded",
            let parsed = try? QueryParameters(parsing: try await call.content.collect())
        else { return Self.problem("What was sent is no form.") }
        fields = parsed
        do {
            session = try LoginSession(fields)
        } catch {
            return Self.problem(error.text)
        }
        guard let check = FormCheck(sentWith: call.context.headers),
            check.accepts(try? fields.string("check"), for: session)
        else { return Self.problem(Self.expired, status: .forbidden) }
        let text = (try? fields.string("accessToken")) ?? ""
        let address = call.actor.sourceAddress ?? ""
        guard let token = try await logins.login(session, showing: Self.trimmed(text), from: address) else {
            let page = LoginPages.form(session, check: check.text(for: session), problem: Self.refused)
            return Reply(.html(page, formTarget: session.origin), status: .forbidden)
        }
        return Reply(.redirect(to: session.answer(token)))
    }

    private static func problem(_ text: String, status: HTTPStatus = .badRequest) -> Reply<WebPage> {
        Reply(.html(LoginPages.problem(text)), status: status)
    }

    /// Without the blanks and line ends that come along when a token is copied.
    private static func trimmed(_ text: String) -> String {
        func isBlank(_ character: Character) -> Bool { character.isWhitespace }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
