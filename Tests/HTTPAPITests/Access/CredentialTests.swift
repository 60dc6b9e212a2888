import HTTPAPI
import Kernel
import Testing

@Suite("The credential of a request")
struct CredentialTests {
    @Test(
        "is a scheme of ours and one word",
        arguments: [
            ("token abc", Credential(.token, "abc")),
            ("Token abc", Credential(.token, "abc")),
            ("bearer abc", Credential(.token, "abc")),
            ("BEARER abc", Credential(.token, "abc")),
            ("token   abc  ", Credential(.token, "abc")),
            ("token\tabc", Credential(.token, "abc")),
            ("update-token abc", Credential(.updateToken, "abc")),
            ("Update-Token abc", Credential(.updateToken, "abc")),
        ]
    )
    func reads(header: String, expected: Credential) throws {
        #expect(try Credential.read([header]) == expected)
    }

    @Test(
        "is none for anything else",
        arguments: [
            "", " ", "token", "token ", "token a b", "abc", "Basic abc", "tokens abc", "token:abc", "update_token x",
        ]
    )
    func ignores(header: String) throws {
        #expect(try Credential.read([header]) == nil)
    }

    @Test("is none without a header, and refused when there are two")
    func counts() throws {
        #expect(try Credential.read([]) == nil)
        let error = #expect(throws: ServiceError.self) { _ = try Credential.read(["token a", "token a"]) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("does not show in what is printed of it")
    func isRedacted() {
        let credential = Credential(.token, "visible")

        #expect(!"\(credential)".contains("visible"))
        #expect(!String(reflecting: credential).contains("visible"))
    }
}
