import Kernel

/// The texts of the pages, in HTML.
enum LoginPages {
    /// Asks for an access token.
    ///
    /// - Parameter problem: what was wrong with the one before.
    static func form(_ session: LoginSession, check: String, problem: String? = nil) -> String {
        let alert = problem.map { "<p class=\"problem\" role=\"alert\" id=\"problem\">\(escape($0))</p>\n" } ?? ""
        let describedBy = problem == nil ? "hint" : "problem hint"
        return page(
            "Log in the command line",
            """
            <p>A client on this computer asks to work with this server in your name. It says of itself:</p>
            <p class="client">\(escape(session.description))</p>
            <p>Go on only if you have started this login yourself, a moment ago.</p>
            <form method="post" action="cli-login">
            \(alert)<label for="token">Your access token</label>
            <input id="token" name="accessToken" type="password" required autofocus autocomplete="off" spellcheck="false"
            maxlength="\(TokenSecret.longest)" aria-describedby="\(describedBy)">
            <p class="hint" id="hint">Any personal access token of yours that is still good. The client does not get it, but
            a new one with the description above, which you can delete at any time.</p>
            <input type="hidden" name="cliSessionPort" value="\(session.port)">
            <input type="hidden" name="cliSessionNonce" value="\(escape(session.nonce))">
            <input type="hidden" name="cliSessionDescription" value="\(escape(session.description))">
            <input type="hidden" name="check" value="\(escape(check))">
            <button type="submit">Log in</button>
            </form>
            """
        )
    }

    static func problem(_ text: String) -> String {
        page(
            "This login cannot go on",
            """
            <p class="problem" role="alert">\(escape(text))</p>
            <p>Nothing was changed, and no token was made. Run <code>pulumi login</code> again, and use the page that it
            opens; or give it a token of yours at its prompt.</p>
            """
        )
    }

    static let welcome = page(
        "You are logged in",
        """
        <p>The command line has its token. You can close this page and go on there.</p>
        """,
        style: "../cli-login.css"
    )

    private static func page(_ title: String, _ body: String, style: String = "cli-login.css") -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>\(title) · Cairn</title>
        <link rel="stylesheet" href="\(style)">
        </head>
        <body>
        <main>
        <h1>\(title)</h1>
        \(body)
        </main>
        </body>
        </html>

        """
    }

    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    static let style = """
        :root {
            color-scheme: light dark;
            --ink: #1c2126; --paper: #ffffff; --back: #eef0f2; --line: #5c6670; --act: #1f5fa8; --bad: #a11622;
        }
        @media (prefers-color-scheme: dark) {
            :root { --ink: #e6e9ec; --paper: #22272c; --back: #15181b; --line: #97a1ab; --act: #8fc0ff; --bad: #ff9aa2; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 2rem 1rem; background: var(--back); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
        main { max-width: 32rem; margin: 0 auto; padding: 1.5rem 2rem; background: var(--paper); border-radius: .5rem; }
        h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
        .client { padding: .75rem 1rem; border-left: .25rem solid var(--line); background: var(--back); overflow-wrap: anywhere; }
        .problem { color: var(--bad); font-weight: 600; }
        .hint { margin: .5rem 0 1.5rem; font-size: .875rem; }
        label { display: block; margin-bottom: .25rem; font-weight: 600; }
        input, button { width: 100%; padding: .625rem .75rem; border: 1px solid var(--line); border-radius: .25rem; font: inherit; }
        input { background: var(--paper); color: var(--ink); }
        button { border-color: var(--act); background: var(--act); color: var(--paper); font-weight: 600; cursor: pointer; }
        :focus-visible { outline: .1875rem solid var(--act); outline-offset: .125rem; }

        """
}
