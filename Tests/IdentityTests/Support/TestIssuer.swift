import APITestKit
import HTTPServer
import Foundation
import Identity
import Kernel
import Testing

/// What `Tests/Counterparts/identity_tokens.py` made.
struct IdentityTokens: Decodable, Sendable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let token: String
        /// What the refusal says; nil for a token that is taken.
        let problem: String?

        var testDescription: String { name }
    }

    let issuer: String
    let audience: String
    let good: [String: String]
    let cases: [Case]

    static let shared: IdentityTokens = {
        do {
            return try JSONDecoder().decode(IdentityTokens.self, from: file())
        } catch {
            preconditionFailure("Tests/Counterparts/identity-tokens.json: \(error)")
        }
    }()

    /// One of the other members of the file as JSON text.
    static func json(_ member: String) throws -> String {
        let object = try #require(try JSONSerialization.jsonObject(with: file()) as? [String: Any])
        return String(
            decoding: try JSONSerialization.data(withJSONObject: try #require(object[member])),
            as: UTF8.self
        )
    }

    private static func file() throws -> Data {
        var url = URL(fileURLWithPath: #filePath)
        while url.lastPathComponent != "Tests" { url.deleteLastPathComponent() }
        return try Data(contentsOf: url.appendingPathComponent("Counterparts/identity-tokens.json"))
    }
}

/// The documents of the issuer that signed the tokens of the tests, and how often they were asked for.
final class TestIssuer: IssuerDocuments {
    struct State: Sendable {
        var documents: [String: String] = [:]
        var failure: IssuerUnreachable?
        var thumbprint: String? = String(repeating: "ab", count: 32)
        var fetched: [String] = []
        /// Whether fetches wait until they are let go.
        var isHeld = false
    }

    private let state: Locked<State>

    init() {
        let url = IdentityTokens.shared.issuer
        var state = State()
        state.documents["\(url)/.well-known/openid-configuration"] =
            #"{"issuer":"\#(url)","jwks_uri":"\#(url)/keys","other":[1]}"#
        state.documents["\(url)/keys"] = try? IdentityTokens.json("keys")
        self.state = Locked(state)
    }

    var fetched: [String] { state.withLock { $0.fetched } }

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    func setKeys(_ member: String) throws {
        let keys = try IdentityTokens.json(member)
        change { $0.documents["\(IdentityTokens.shared.issuer)/keys"] = keys }
    }

    func fetch(_ url: String, trusting thumbprints: [String]) async throws(IssuerUnreachable) -> IssuerDocument {
        state.withLock { $0.fetched.append(url) }
        while state.withLock({ $0.isHeld }) { await Task.yield() }
        let (failure, document, thumbprint) = state.withLock { ($0.failure, $0.documents[url], $0.thumbprint) }
        if let failure { throw failure }
        guard let document else { throw .noDocument("404") }
        return IssuerDocument(body: Array(document.utf8), thumbprint: thumbprint)
    }
}

extension TestServer {
    /// Registers the issuer of the tests, lets the policy allow these entries, and gives its id.
    @discardableResult
    func registerIssuer(
        allowing entries: [String] = [TestPolicy.organization],
        more json: String = "",
        in organization: String = "acme",
        as caller: TestCaller = .dev
    ) async throws -> String {
        let base = "/api/orgs/\(organization)"
        let body = #"{"name":"pipelines","url":"\#(IdentityTokens.shared.issuer)"\#(json)}"#
        let issuer = try await send("POST", "\(base)/oidc/issuers", json: body, as: caller)
        let id = try #require(issuer.json["id"].string, "\(issuer)")
        let policy = try await send("GET", "\(base)/auth/policies/oidcissuers/\(id)", as: caller)
        let policyID = try #require(policy.json["id"].string)
        if !entries.isEmpty {
            let text = #"{"policies":[\#(entries.joined(separator: ","))]}"#
            let changed = try await send("PATCH", "\(base)/auth/policies/\(policyID)", json: text, as: caller)
            try #require(changed.status == 200, "\(changed)")
        }
        return id
    }

    /// Exchanges a token by a form, as the CLI does.
    func exchange(
        _ token: String = IdentityTokens.shared.good["main"] ?? "",
        changing fields: [String: String?] = [:]
    ) async throws -> TestReply {
        var form: [String: String?] = [
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "audience": IdentityTokens.shared.audience,
            "requested_token_type": "urn:pulumi:token-type:access_token:organization",
            "scope": "",
            "expiration": "7200",
        ]
        for (name, value) in fields { form[name] = .some(value) }
        return try await send(form: form.compactMapValues { $0 })
    }

    func send(form: [String: String]) async throws -> TestReply {
        let text = form.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.escape($0.value))" }.joined(separator: "&")
        return try await send(exchangeBody: text, type: "application/x-www-form-urlencoded")
    }

    func send(exchangeBody text: String, type: String) async throws -> TestReply {
        var request = TestRequest(
            "POST",
            "/api/oauth/token",
            headers: ["Content-Type": type],
            body: Array(text.utf8)
        )
        request.mayBeAuditedWhenRefused = true
        return try await send(request, as: .stranger)
    }

    static func escape(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95: String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }.joined()
    }
}

/// Entries of policies.
enum TestPolicy {
    static let organization = entry()
    static let admin = entry(permissions: #"["standard","admin"]"#)

    static func entry(
        _ decision: String = "allow",
        type: String = #""tokenType":"organization""#,
        permissions: String = #"["standard"]"#,
        rules: String = #"{"sub":"repo:acme/site:*"}"#
    ) -> String {
        #"{"decision":"\#(decision)",\#(type),"authorizedPermissions":\#(permissions),"rules":\#(rules)}"#
    }

    static func personal(_ login: String) -> String {
        entry(type: #""tokenType":"personal","userLogin":"\#(login)""#)
    }
}
