#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Settings {
    /// PEM text, or the path of a file that holds it.
    ///
    /// Some tools pass the line ends of PEM text as a backslash and an `n`; these are turned back. The value is never
    /// shown, except a path that cannot be read.
    package func valueOrFile(_ name: String) -> Redacted<String>? {
        let takes = "PEM text or the path of a file with PEM text"
        let text: String? = read(name, takes: takes, shown: { _ in nil }, parse: { $0 })
        guard let text else { return nil }
        if Self.isPEM(text) { return Redacted(Self.withLineEnds(text)) }
        let path = trimmed(text)
        let looksLikePath = path.hasPrefix("/") || path.hasPrefix("./") || path.hasPrefix("../")
        let shown = looksLikePath && path.utf8.count < 4096 ? quoted(path) : "a value that is not shown"
        switch FileText.load(path, limit: 1_048_576) {
        case .success(let text) where Self.isPEM(text):
            return Redacted(text)
        case .success:
            report(name, "found \(shown), a file without PEM text; takes \(takes)")
        case .failure(let failure):
            report(name, "found \(shown): \(failure.reason); takes \(takes)")
        }
        return nil
    }

    /// What the process was started with, for the one place that makes `Settings` of it.
    ///
    /// Read from `/proc`, because the C variable is not safe to read beside other threads.
    package static func processEnvironment() -> [String: String] {
        guard case .success(let text) = FileText.load("/proc/self/environ", limit: 16 * 1_048_576) else { return [:] }
        var result: [String: String] = [:]
        for entry in text.split(separator: "\0") {
            guard let equals = entry.firstIndex(of: "=") else { continue }
            result[String(entry[..<equals])] = String(entry[equals...].dropFirst())
        }
        return result
    }

    private static func isPEM(_ text: String) -> Bool {
        text.contains("-----BEGIN ")
    }

    private static func withLineEnds(_ text: String) -> String {
        text.contains("\n") ? text : text.replacing("\\n", with: "\n")
    }
}

/// Small text files, read while the process starts.
enum FileText {
    struct Failure: Error {
        let reason: String
    }

    /// Reads the whole file as UTF-8; blocks.
    static func load(_ path: String, limit: Int) -> Result<String, Failure> {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .failure(Failure(reason: String(cString: strerror(errno)))) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(Failure(reason: String(cString: strerror(errno)))) }
            if count == 0 { return .success(String(decoding: bytes, as: UTF8.self)) }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { return .failure(Failure(reason: "the file is too large")) }
        }
    }
}
