import Contract
import HTTPAPI
import Kernel
import Server

/// Method and path over every route there is.
enum RouterTarget {
    private static let routes = RoutesCommand.table(.live()).routes
    private static let router = Router(routes.map { ($0.descriptor.method, $0.template) })

    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        guard let first = input.first else { return }
        let methods = OperationMethod.allCases
        let method = methods[Int(first) % methods.count]
        let path = Array(input.dropFirst())

        switch router.match(method, path.span) {
        case .found(let index, let segments):
            let route = routes[index]
            require(route.descriptor.method == method || method == .head, "the route is one of the method")
            guard let values = try? route.template.values(segments, path.span) else { return }
            require(values.allSatisfy { !$0.isEmpty }, "no part of a path is empty")
        case .methodNotAllowed(let others):
            require(!others.contains(method), "a method that is allowed is found")
        case .notFound, .malformed:
            break
        }
    }
}

/// Tokens of lists.
enum CursorTarget {
    private static let paging = ContinuationPaging(operation: "fuzz", standard: 10, largest: 100)

    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        let text = String(decoding: input, as: UTF8.self)

        _ = try? paging.after(text, filter: []) { $0 }
        let page = Page(fetched: [text, text], limit: 1)
        let token = paging.token(page, filter: [text]) { [$0, "x"] }
        let back = try? paging.after(token, filter: [text]) { $0 }

        require(back == [text, "x"], "a token gives back what it was made of")
        require((try? paging.after(token, filter: [text, "y"]) { $0 }) == nil, "a token is good for one filter only")
    }
}

/// All settings, from lines `number value`.
enum ConfigurationTarget {
    /// Those that name no file: what stands in one is another matter, and the fuzzer shall open none.
    private static let names = [
        "PORT", "CAIRN_LISTEN", "API_MIN_TLS_VERSION", "CAIRN_CONNECTIONS_PER_ADDRESS", "CAIRN_LOG_LEVEL",
        "CAIRN_LOG_FORMAT", "CAIRN_ADMIN_TOKEN", "CAIRN_ADMIN_LOGIN", "CAIRN_ORGANIZATION", "CAIRN_OUTBOUND_ALLOW",
        "PULUMI_DATABASE_ENDPOINT", "PULUMI_DATABASE_NAME", "PULUMI_DATABASE_USER_NAME",
        "PULUMI_DATABASE_USER_PASSWORD", "DATABASE_MIN_TLS_VERSION", "CAIRN_MODE", "CAIRN_STOP_GRACE",
    ]

    @Sendable static func run(_ input: ArraySlice<UInt8>) {
        var environment = ["CAIRN_DATA": "/nonexistent/cairn-fuzz"]
        for line in input.split(separator: UInt8(ascii: "\n")) {
            guard let first = line.first else { continue }
            environment[names[Int(first) % names.count]] = String(decoding: line.dropFirst(), as: UTF8.self)
        }

        do {
            _ = try Configuration(settings: Settings(environment))
        } catch {
            let token = environment["CAIRN_ADMIN_TOKEN"] ?? ""
            // Short ones are part of many words.
            require(token.count < 24 || !"\(error)".contains(token), "a message shows no secret")
        }
    }
}
