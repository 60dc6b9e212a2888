import Foundation
import Kernel
import Testing

@Suite("Settings with PEM text or a path")
struct SettingsFileTests {
    private static let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    @Test(
        "take text with real line ends and with written ones",
        arguments: [
            pem,
            "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n",
            "'-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n'",
        ]
    )
    func takesText(text: String) throws {
        let settings = Settings(["CERT": text])

        let value = settings.valueOrFile("CERT")

        try settings.check()
        #expect(value?.reveal() == Self.pem)
    }

    @Test("take a path, also with a line end behind it")
    func takesPath() throws {
        let path = NSTemporaryDirectory() + "cairn-settings-\(UUID().uuidString).pem"
        defer { unlink(path) }
        try Self.pem.write(toFile: path, atomically: true, encoding: .utf8)
        let settings = Settings(["CERT": path + "\n"])

        let value = settings.valueOrFile("CERT")

        try settings.check()
        #expect(value?.reveal() == Self.pem)
        #expect(settings.effective.map(\.description) == ["CERT = [redacted] (set)"])
    }

    @Test(
        "say what is wrong without showing what may be a key",
        arguments: [
            ("/nowhere/tls.pem", "found \"/nowhere/tls.pem\": No such file or directory"),
            ("/dev/null", "found \"/dev/null\", a file without PEM text"),
            ("/dev/zero", "found \"/dev/zero\": the file is too large"),
            ("/tmp", "found \"/tmp\": Is a directory"),
            ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "found a value that is not shown: No such file or directory"),
        ]
    )
    func refuses(text: String, problem: String) {
        let settings = Settings(["KEY": text])

        let value = settings.valueOrFile("KEY")

        #expect(value == nil)
        let error = #expect(throws: ConfigurationError.self) { try settings.check() }
        #expect(error?.description == "KEY: \(problem); takes PEM text or the path of a file with PEM text")
    }
}
