import Contract
import Kernel

/// The client on the person's computer that waits for a token: where it listens, and by what it knows the answer.
struct LoginSession: Sendable, Equatable {
    /// Why there is none, for the person who sees the page.
    struct Problem: Error, Sendable, Equatable {
        let text: String
    }

    private static let longestNonce = 256
    private static let longestDescription = 200
    private static let usualDescription = "Made by a login in the browser"

    let port: Int
    let nonce: String
    /// What the client says of itself; the description of the token it gets.
    let description: String

    /// Reads the parameters of the client.
    ///
    /// The port is a number and nothing else, because it becomes part of the URL that gets the token (S-22).
    init(_ parameters: QueryParameters) throws(Problem) {
        do {
            guard let text = try parameters.string("cliSessionPort"), let port = Self.port(text) else {
                throw Problem(text: "The address of this page does not say where your client waits.")
            }
            guard let nonce = try parameters.string("cliSessionNonce"), Self.isNonce(nonce) else {
                throw Problem(text: "The address of this page does not say which login it is for.")
            }
            self.port = port
            self.nonce = nonce
            description = Self.visible(try parameters.string("cliSessionDescription") ?? "")
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(text: "The address of this page says something twice.")
        }
    }

    /// The address that waits for the token, on this computer whatever the parameters say.
    var origin: String { "http://127.0.0.1:\(port)" }

    func answer(_ token: TokenSecret) -> String {
        "\(origin)/?accessToken=\(Self.escape(token.text.reveal()))&nonce=\(nonce)"
    }

    private static func port(_ text: String) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            text.utf8.first != UInt8(ascii: "0"), let port = Int(text), port <= 65_535
        else { return nil }
        return port
    }

    private static func isNonce(_ text: String) -> Bool {
        (1...longestNonce).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: false
                }
            }
    }

    /// Text of a stranger, shown to a person who decides by it: nothing in it that cannot be seen.
    private static func visible(_ text: String) -> String {
        let scalars = text.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
            default: true
            }
        }
        let cut = String(String.UnicodeScalarView(scalars.prefix(longestDescription)))
        return cut.contains { $0 != " " } ? cut : usualDescription
    }

    /// For a value in a query.
    private static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: escaped.append(byte)
            default: escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
