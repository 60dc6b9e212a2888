import Contract
import Crypto
import HTTPServer
import Kernel

/// Tells a form that this server gave out from one that a stranger's page sends.
///
/// The browser keeps a random value in a cookie that it sends from our own pages only; the form holds a digest of it and
/// of everything that was shown.
struct FormCheck: Sendable {
    private static let cookieName = "cairn_login"
    private static let length = 32

    private let secret: [UInt8]

    /// The browser's value, or a new one.
    init(of headers: HTTPHeaders, effects: Effects) {
        secret = Self.secret(in: headers) ?? effects.randomBytes(Self.length)
    }

    /// Nil when the browser has none, or when it says that another page than ours has sent the form.
    init?(sentWith headers: HTTPHeaders) {
        guard (headers["Sec-Fetch-Site"] ?? "same-origin") == "same-origin", let secret = Self.secret(in: headers)
        else {
            return nil
        }
        self.secret = secret
    }

    var cookie: String {
        "\(Self.cookieName)=\(Hex.encode(secret)); Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"
    }

    /// What the form holds.
    func text(for session: LoginSession) -> String {
        let shown = "\(session.port)\u{0}\(session.nonce)\u{0}\(session.description)"
        return Hex.encode(HMAC.code(of: Array(shown.utf8), key: secret).bytes)
    }

    func accepts(_ text: String?, for session: LoginSession) -> Bool {
        ConstantTime.equal(text ?? "", self.text(for: session))
    }

    private static func secret(in headers: HTTPHeaders) -> [UInt8]? {
        for header in headers.values(for: "Cookie") {
            for part in header.split(separator: ";") {
                let pair = part.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, pair[0].filter({ $0 != " " }) == cookieName else { continue }
                guard let secret = Hex.decode(String(pair[1])), secret.count == length else { return nil }
                return secret
            }
        }
        return nil
    }
}
