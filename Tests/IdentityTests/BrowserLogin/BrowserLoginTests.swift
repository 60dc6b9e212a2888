import APITestKit
import Foundation
import HTTPServer
import Identity
import Kernel
import Persistence
import Telemetry
import TestKit
import Testing

@Suite("Logging a client in by the browser")
struct BrowserLoginTests {
    private static let nonce = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    private static let good = "cliSessionDescription=laptop&cliSessionNonce=\(nonce)&cliSessionPort=41234"

    @Test("17: gives the waiting client a token of the person, and its nonce as it came", arguments: Engine.available)
    func logsIn(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let form = try await open(Self.good, server)
            let answer = try await submit(form, "test-token-of-mia", server)

            #expect(answer.status == 303 && answer.body.isEmpty)
            let url = try #require(URLComponents(string: answer.headers["Location"] ?? ""))
            #expect(url.scheme == "http" && url.host == "127.0.0.1" && url.port == 41_234 && url.path == "/")
            let values = Dictionary(uniqueKeysWithValues: (url.queryItems ?? []).map { ($0.name, $0.value ?? "") })
            #expect(Set(values.keys) == ["accessToken", "nonce"] && values["nonce"] == Self.nonce)
            let token = try #require(values["accessToken"])
            #expect(token.wholeMatch(of: /pul-[0-9a-f]{40}/) != nil)
            let user = try await server.send("GET", "/api/user", as: .token(token))
            #expect(user.json["githubLogin"].string == "mia")
            let tokens = try await server.send("GET", "/api/user/tokens", as: .mia)
            #expect(tokens.json["tokens"].array.compactMap { $0["description"].string }.contains("laptop"))
            #expect(try await server.auditActions() == ["personal-token-created"])
            #expect(!"\(server.log.entries)".contains(token))
        }
    }

    @Test(
        "17: shows what is wrong with the address, and makes no token",
        arguments: [
            "cliSessionPort=99999&cliSessionNonce=a", "cliSessionPort=-1&cliSessionNonce=a",
            "cliSessionPort=80/evil&cliSessionNonce=a", "cliSessionPort=80%2Fevil&cliSessionNonce=a",
            "cliSessionPort=80", "cliSessionPort=80&cliSessionNonce=", "cliSessionNonce=a", "",
            "cliSessionPort=&cliSessionNonce=a",
            "cliSessionPort=0&cliSessionNonce=a", "cliSessionPort=65536&cliSessionNonce=a",
            "cliSessionPort=080&cliSessionNonce=a", "cliSessionPort=%2080&cliSessionNonce=a",
            "cliSessionPort=80%20&cliSessionNonce=a", "cliSessionPort=0x50&cliSessionNonce=a",
            "cliSessionPort=80@evil.example&cliSessionNonce=a", "cliSessionPort=80.evil.example&cliSessionNonce=a",
            "cliSessionPort=1e3&cliSessionNonce=a", "cliSessionPort=%2B80&cliSessionNonce=a",
            "cliSessionPort=%D9%A8%D9%A0&cliSessionNonce=a", "cliSessionPort=80%0d%0a&cliSessionNonce=a",
            "cliSessionPort=80%00&cliSessionNonce=a", "cliSessionPort=[::1]:80&cliSessionNonce=a",
            "cliSessionPort=80&cliSessionPort=81&cliSessionNonce=a",
            "cliSessionPort=80&cliSessionNonce=a&cliSessionNonce=b",
            "cliSessionPort=80&cliSessionNonce=a%26x%3Db", "cliSessionPort=80&cliSessionNonce=a%23",
            "cliSessionPort=80&cliSessionNonce=%0a", "cliSessionPort=80&cliSessionNonce=%C3%A4",
            "cliSessionPort=80&cliSessionNonce=\(String(repeating: "a", count: 257))",
        ]
    )
    func refusesAddress(query: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let before = try await server.countTokens()
            let page = try await server.send("GET", "/cli-login?\(query)", as: .stranger)
            let form = try await open(Self.good, server)
            let fields = "\(query)&check=\(form.check)&accessToken=test-token-of-dev"
            let answer = try await send(fields, cookie: form.cookie, server)

            #expect(page.status == 400 && answer.status == 400)
            #expect(page.text.contains("This login cannot go on"))
            #expect(!page.text.contains("<form") && answer.headers["Location"] == nil)
            #expect(page.headers["Set-Cookie"] == nil)
            #expect(try await server.countTokens() == before)
        }
    }

    @Test(
        "takes every port and nonce that clients have",
        arguments: ["1", "80", "1024", "65535"],
        ["a", "Zz09", nonce]
    )
    func takesAddress(port: String, nonce: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let form = try await open("cliCommand=pulumi+new&cliSessionPort=\(port)&cliSessionNonce=\(nonce)", server)

            let answer = try await submit(form, " test-token-of-dev\n", server)

            #expect(answer.headers["Location"]?.hasPrefix("http://127.0.0.1:\(port)/?accessToken=pul-") == true)
            #expect(answer.headers["Location"]?.hasSuffix("&nonce=\(nonce)") == true)
        }
    }

    @Test("shows a page that runs nothing, is in no frame, and tells nobody where it was")
    func isHarmless() async throws {
        try await withIdentityServer(.sqlite) { server in
            let pages = try await [
                server.send("GET", "/cli-login?\(Self.good)", as: .stranger),
                server.send("GET", "/cli-login", as: .stranger),
                server.send("GET", "/welcome/cli", as: .stranger),
            ]

            for page in pages {
                let policy = try #require(page.headers["Content-Security-Policy"])
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
                #expect(policy.contains("base-uri 'none'") && !policy.contains("unsafe"))
                #expect(page.headers["X-Frame-Options"] == "DENY")
                #expect(page.headers["Referrer-Policy"] == "no-referrer")
                #expect(page.headers["Cache-Control"] == "no-store")
                #expect(page.headers["X-Content-Type-Options"] == "nosniff")
                #expect(page.headers["Content-Type"] == "text/html; charset=utf-8")
                #expect(!page.text.contains("<script") && !page.text.contains(" style="))
                #expect(page.text.contains("<html lang=\"en\">") && page.text.contains("<h1>"))
            }
            #expect(
                pages[0].headers["Content-Security-Policy"]?.contains("form-action 'self' http://127.0.0.1:41234;")
                    == true
            )
            #expect(pages[1].headers["Content-Security-Policy"]?.contains("form-action 'none'") == true)
            #expect(pages[0].text.contains("<label for=\"token\">") && pages[0].text.contains("id=\"token\""))
            let style = try await server.send("GET", "/cli-login.css", as: .stranger)
            #expect(style.status == 200 && style.headers["Content-Type"] == "text/css; charset=utf-8")
        }
    }

    @Test(
        "shows what a client says of itself as text",
        arguments: [
            ("%3Cscript%3Ealert(1)%3C/script%3E", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"),
            ("a%27%26b", "a&#39;&amp;b"), ("a%00%0A%E2%80%AEb", "ab"), ("%20%20", "Made by a login in the browser"),
            ("", "Made by a login in the browser"), ("J%C3%BCrgens%20PC", "Jürgens PC"),
            (String(repeating: "x", count: 300), String(repeating: "x", count: 200)),
        ]
    )
    func escapes(description: String, shown: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let query = "cliSessionPort=80&cliSessionNonce=a&cliSessionDescription=\(description)"

            let page = try await server.send("GET", "/cli-login?\(query)", as: .stranger)

            #expect(page.text.contains("<p class=\"client\">\(shown)</p>"), "\(page.text)")
            #expect(page.text.contains("name=\"cliSessionDescription\" value=\"\(shown)\""))
            let form = try await open(query, server)
            #expect(try await submit(form, "test-token-of-dev", server).status == 303)
        }
    }

    @Test("asks again for a token that is none of a person, and says so", arguments: Engine.available)
    func refusesTokens(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let machine = try await server.createOrganizationToken()
            let confined = try await server.addToken(of: "mia")
            let deleted = try await server.createToken()
            _ = try await server.send("DELETE", "/api/user/tokens/\(deleted.id)")
            let end = server.clock.now.seconds + 60
            let expired = try await server.createToken(#"{"expires":\#(end)}"#)
            server.clock.advance(by: .seconds(60))
            let form = try await open(Self.good, server)
            let before = try await server.countTokens()

            let texts = [
                machine.caller.authorization.map { String($0.dropFirst(6)) } ?? "",
                confined.authorization.map { String($0.dropFirst(6)) } ?? "", deleted.text, expired.text, "", "wrong",
                "token test-token-of-dev", String(repeating: "a", count: 300), "ä",
            ]
            for text in texts {
                let answer = try await submit(form, text, server)
                #expect(answer.status == 403)
                #expect(answer.text.contains("role=\"alert\"") && answer.text.contains("no longer good"))
                #expect(text.isEmpty || !answer.text.contains(text))
                #expect(answer.headers["Location"] == nil)
            }
            #expect(try await server.countTokens() == before)
        }
    }

    @Test("makes a token that ends with the one that was shown", arguments: Engine.available)
    func keepsEnd(engine: Engine) async throws {
        try await withIdentityServer(engine) { server in
            let end = server.clock.now.seconds + 60
            let short = try await server.createToken(#"{"expires":\#(end)}"#)

            let answer = try await submit(try await open(Self.good, server), short.text, server)

            #expect(answer.status == 303)
            let list = try await server.send("GET", "/api/user/tokens")
            let made = list.json["tokens"].array.first { $0["description"].string == "laptop" }
            #expect(made?["expires"].int == Int(end))
        }
    }

    @Test("takes a form from its own page only, as it was shown")
    func checksForm() async throws {
        try await withIdentityServer(.sqlite) { server in
            let form = try await open(Self.good, server)
            let other = try await open(Self.good, server)
            let before = try await server.countTokens()
            let fields = "accessToken=test-token-of-dev&check="
            let attempts: [(String, String?, HTTPHeaders)] = [
                ("\(Self.good)&accessToken=test-token-of-dev", form.cookie, [:]),
                ("\(Self.good)&\(fields)", form.cookie, [:]),
                ("\(Self.good)&\(fields)\(form.check)", nil, [:]),
                ("\(Self.good)&\(fields)\(form.check)", other.cookie, [:]),
                ("\(Self.good)&\(fields)\(other.check)", form.cookie, [:]),
                ("\(Self.good)&\(fields)\(form.check)", "cairn_login=", [:]),
                ("\(Self.good)&\(fields)\(form.check)", "cairn_login=zz", [:]),
                ("\(Self.good)&\(fields)\(form.check)", form.cookie, ["Sec-Fetch-Site": "cross-site"]),
                ("\(Self.good)&\(fields)\(form.check)", form.cookie, ["Sec-Fetch-Site": "same-site"]),
                ("\(Self.good)&\(fields)\(form.check)", form.cookie, ["Sec-Fetch-Site": "none"]),
                ("\(Self.good.replacing("41234", with: "41235"))&\(fields)\(form.check)", form.cookie, [:]),
                ("\(Self.good.replacing("laptop", with: "server"))&\(fields)\(form.check)", form.cookie, [:]),
                ("\(Self.good.replacing("0123", with: "9999"))&\(fields)\(form.check)", form.cookie, [:]),
            ]

            for (body, cookie, headers) in attempts {
                let answer = try await send(body, cookie: cookie, headers: headers, server)
                #expect(answer.status == 403, "\(body) \(cookie ?? "") \(headers)")
                #expect(answer.text.contains("This form is too old") && answer.headers["Location"] == nil)
            }
            #expect(try await server.countTokens() == before)
            let own = try await send(
                "\(Self.good)&\(fields)\(form.check)",
                cookie: "theme=dark; \(form.cookie); a=b",
                headers: ["Sec-Fetch-Site": "same-origin"],
                server
            )
            #expect(own.status == 303)
        }
    }

    @Test("keeps its cookie from scripts and from other pages, and shares it between tabs")
    func keepsCookie() async throws {
        try await withIdentityServer(.sqlite) { server in
            let page = try await server.send("GET", "/cli-login?\(Self.good)", as: .stranger)
            let header = try #require(page.headers["Set-Cookie"])
            let cookie = String(header.prefix { $0 != ";" })
            let again = try await server.send(
                "GET",
                "/cli-login?\(Self.good)",
                headers: ["Cookie": cookie],
                as: .stranger
            )

            #expect(header.contains("; HttpOnly") && header.contains("; SameSite=Strict"))
            #expect(again.headers["Set-Cookie"] == header)
        }
    }

    @Test("takes no other body than a form", arguments: ["application/json", "multipart/form-data", "text/plain"])
    func refusesBody(type: String) async throws {
        try await withIdentityServer(.sqlite) { server in
            let answer = try await server.send(
                "POST",
                "/cli-login",
                body: Array(#"{"accessToken":"test-token-of-dev"}"#.utf8),
                headers: ["Content-Type": type],
                as: .stranger
            )

            #expect(answer.status == 400)
        }
    }

    // MARK: - A browser

    private struct Form {
        let query: String
        let check: String
        let cookie: String
    }

    /// Opens the page and reads what its form holds, as a browser does.
    private func open(_ query: String, _ server: TestServer) async throws -> Form {
        let page = try await server.send("GET", "/cli-login?\(query)", as: .stranger)
        try #require(page.status == 200, "\(page)")
        var fields: [String] = []
        var check = ""
        for match in page.text.matches(of: /type="hidden" name="([A-Za-z]+)" value="([^"]*)"/) {
            let value = String(match.2).replacing("&lt;", with: "<").replacing("&gt;", with: ">")
                .replacing("&quot;", with: "\"").replacing("&#39;", with: "'").replacing("&amp;", with: "&")
            if match.1 == "check" { check = value } else { fields.append("\(match.1)=\(TestServer.escape(value))") }
        }
        let cookie = String(page.headers["Set-Cookie"]?.prefix { $0 != ";" } ?? "")
        return Form(query: fields.joined(separator: "&"), check: check, cookie: cookie)
    }

    private func submit(_ form: Form, _ token: String, _ server: TestServer) async throws -> TestReply {
        let fields = "\(form.query)&check=\(form.check)&accessToken=\(TestServer.escape(token))"
        return try await send(fields, cookie: form.cookie, server)
    }

    private func send(
        _ body: String,
        cookie: String?,
        headers: HTTPHeaders = [:],
        _ server: TestServer
    ) async throws -> TestReply {
        var headers = headers
        headers.append("Content-Type", "application/x-www-form-urlencoded")
        if let cookie { headers.append("Cookie", cookie) }
        return try await server.send("POST", "/cli-login", body: Array(body.utf8), headers: headers, as: .stranger)
    }
}
