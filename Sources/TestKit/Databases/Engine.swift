import Foundation
package import Persistence
import Testing

/// The engines that tests of stores and drivers run on.
package enum Engine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case mariadb
    case mysql

    package var testDescription: String { rawValue }

    package var dialect: Dialect {
        self == .sqlite ? .sqlite : .mysql
    }

    /// The variable with the address of the engine's server; `./dev` sets it for the servers it starts.
    package var variable: String? {
        switch self {
        case .sqlite: nil
        case .mariadb: "CAIRN_TEST_MARIADB"
        case .mysql: "CAIRN_TEST_MYSQL"
        }
    }

    /// Whether tests can run on it now.
    package var isAvailable: Bool {
        guard let variable else { return true }
        return ProcessInfo.processInfo.environment[variable]?.isEmpty == false
    }

    /// The engines whose servers run; all of them where a missing one is a failure.
    package static var available: [Engine] {
        mustAllRun ? allCases : allCases.filter(\.isAvailable)
    }

    /// Set where tests must not be skipped.
    static var mustAllRun: Bool {
        ProcessInfo.processInfo.environment["CAIRN_REQUIRE_ENGINES"] == "1"
    }

    /// Skips the test, so that its report says why, or fails it where every engine must run.
    func requireAvailable() throws {
        guard !isAvailable else { return }
        let reason = EngineMissing(description: "\(rawValue) is not running: \(variable ?? "") is not set")
        guard !Self.mustAllRun else { throw reason }
        #if compiler(>=6.3)
            try Test.cancel(Comment(rawValue: reason.description))
        #else
            throw reason
        #endif
    }
}

/// A server that a test needs and that is not there.
package struct EngineMissing: Error, CustomStringConvertible {
    package let description: String
}
