// swift-tools-version: 6.2
import PackageDescription

// MARK: - How targets are made

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
    // What lets tests stop it beside every durable step (Sources/Kernel/Failpoints); never in a release.
    .define("CAIRN_FAILPOINTS", .when(configuration: .debug)),
]

/// The same with optimization in debug builds too, assertions kept, for what tests call by the million: it costs half a
/// minute of a clean build, and the tests take minutes less.
let hot: [SwiftSetting] =
    settings + [.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))]

let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
let strictCXX: [CXXSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

/// A C library of the system, called from Swift as it is.
///
/// `shim.h` holds the few inline functions the importer needs.
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// C or C++ of ours that hides a library behind a small C interface.
func shim(_ name: String, links libraries: [String] = []) -> Target {
    .target(
        name: name,
        path: "Sources/C/\(name)",
        cSettings: strictC,
        cxxSettings: strictCXX,
        linkerSettings: libraries.map { .linkedLibrary($0) }
    )
}

/// A module and its tests, which see the module, what it uses, and `testing`.
func module(
    _ name: String,
    uses dependencies: [Target.Dependency] = [],
    testing extra: [Target.Dependency] = [],
    settings own: [SwiftSetting] = settings
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: own),
        .testTarget(
            name: name + "Tests",
            dependencies: [.target(name: name)] + dependencies + extra,
            swiftSettings: settings
        ),
    ]
}

/// A capability may use the platform listed here and what it names itself; no capability uses another one.
func capability(
    _ name: String,
    plus extra: [Target.Dependency] = [],
    testing more: [Target.Dependency] = []
) -> [Target] {
    let platform: [Target.Dependency] = [
        "Kernel", "Contract", "Telemetry", "Persistence", "Events", "Jobs", "HTTPAPI",
    ]
    return module(name, uses: platform + extra, testing: ["TestKit", "APITestKit"] + more)
}

// MARK: - The graph, from the bottom up

let libraries: [Target] = [
    system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    system("CMariaDB", pkgConfig: "libmariadb", apt: "libmariadb-dev"),
    system("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
    system("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev"),
    system("CISAL", pkgConfig: "libisal", apt: "libisal-dev"),
    system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    shim("CThread"),
    shim("CScan"),
    shim("CBeast", links: ["ssl", "crypto"]),
    shim("CCurl"),
]

let tools: [[Target]] = [
    module("Kernel", uses: ["CThread"], settings: hot),
    module("JSONScan", uses: ["Kernel", "CScan"], testing: ["NoiseTestKit"], settings: hot),
    module("Compression", uses: ["Kernel", "CDeflate", "CISAL"], testing: ["CZlib", "NoiseTestKit"]),
    module("Crypto", uses: ["Kernel", "COpenSSL"]),
]

let platform: [[Target]] = [
    module("Contract", uses: ["Kernel"], testing: ["NoiseTestKit"]),
    module("Telemetry", uses: ["Kernel"]),
    module("Persistence", uses: ["Kernel"], settings: hot),
    module("Schema", uses: ["Persistence"], testing: ["Kernel", "TestKit"]),
    module("Jobs", uses: ["Kernel", "Persistence", "Telemetry"], testing: ["TestKit"]),
    module("Events", uses: ["Kernel", "Persistence", "Crypto", "Jobs", "Telemetry"], testing: ["TestKit"]),
    module("HTTPServer", uses: ["Kernel", "CBeast"]),
    module(
        "HTTPAPI",
        uses: ["Kernel", "Contract", "Telemetry", "Compression", "HTTPServer"],
        testing: ["Crypto"]
    ),
    module(
        "StateStore",
        uses: ["Kernel", "JSONScan", "Compression"],
        testing: ["NoiseTestKit"],
        settings: hot
    ),
]

let adapters: [[Target]] = [
    module(
        "PersistenceSQLite",
        uses: ["Kernel", "Persistence", "CSQLite"],
        testing: ["TestKit"],
        settings: hot
    ),
    module("PersistenceMySQL", uses: ["Kernel", "Persistence", "CMariaDB"], testing: ["TestKit"]),
    module("Transfers", uses: ["Kernel", "CCurl"], testing: ["HTTPServer", "ServiceTestKit"]),
    module("OutboundHTTP", uses: ["Kernel", "Crypto", "Transfers"], testing: ["HTTPServer"]),
    module(
        "CloudAccess",
        uses: ["Kernel", "Contract", "Crypto", "Transfers", "OutboundHTTP"],
        testing: ["ServiceTestKit"]
    ),
    module(
        "ObjectStorage",
        uses: ["Kernel", "Contract", "Crypto", "Transfers", "OutboundHTTP", "CloudAccess"],
        testing: ["ServiceTestKit"]
    ),
    module(
        "Encryption",
        uses: ["Kernel", "Contract", "Crypto", "Transfers", "OutboundHTTP", "CloudAccess"],
        testing: ["ServiceTestKit"]
    ),
    module(
        "AuditArchive",
        uses: [
            "Kernel", "Contract", "Crypto", "Telemetry", "Persistence", "Events", "Jobs", "Transfers", "OutboundHTTP",
            "CloudAccess",
        ],
        testing: ["TestKit", "ServiceTestKit"]
    ),
]

let capabilities: [[Target]] = [
    capability("Identity", plus: ["Crypto", "HTTPServer"]),
    capability(
        "Stacks",
        plus: ["StateStore", "JSONScan", "Crypto", "Compression", "Encryption"],
        testing: ["Identity", "ObjectStorage", "HTTPServer", "NoiseTestKit"]
    ),
]

let program: [Target] =
    module(
        "Server",
        uses: [
            "Kernel", "Contract", "Telemetry", "Persistence", "Schema", "Events", "Jobs", "HTTPServer", "HTTPAPI",
            "Crypto", "PersistenceSQLite", "PersistenceMySQL", "ObjectStorage", "Encryption",
            "Transfers", "OutboundHTTP", "CloudAccess", "AuditArchive", "Identity", "Stacks",
        ],
        testing: ["TestKit", "APITestKit"]
    ) + [
        .executableTarget(name: "cairn", dependencies: ["Server"], swiftSettings: settings),
        // Databases on every engine, clocks, conformance kits: what tests of stores and drivers need.
        .target(
            name: "TestKit",
            dependencies: ["Kernel", "Persistence", "Schema", "PersistenceSQLite", "PersistenceMySQL"],
            swiftSettings: settings
        ),
        // Seeded numbers; it needs nothing, so that tests of the lowest modules can use it.
        .target(name: "NoiseTestKit", swiftSettings: settings),
        // Services that a test plays: what tests of modules need that ask others over HTTP.
        .target(
            name: "ServiceTestKit",
            dependencies: ["Kernel", "HTTPServer", "Transfers", "OutboundHTTP"],
            swiftSettings: settings
        ),
        // The pipeline without a socket, fixtures, audit checks: what tests of operations need on top.
        .target(
            name: "APITestKit",
            dependencies: [
                "TestKit", "Kernel", "Contract", "Telemetry", "Persistence", "HTTPServer", "HTTPAPI", "Identity",
            ],
            swiftSettings: settings
        ),
        // The storage core under a seeded scheduler, with every fault that it must survive.
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Kernel", "Crypto", "Compression", "Telemetry", "Persistence", "PersistenceSQLite", "Schema", "Events",
                "Jobs", "Encryption", "StateStore", "Stacks",
            ],
            swiftSettings: hot
        ),
    ]

// MARK: - A part of it

/// `CAIRN_ONLY=Kernel,HTTPServer` keeps those modules, their tests and what they need.
///
/// The package manager builds every test of a package before it runs one; this keeps that short while one module is
/// worked on. `./dev test --only` sets it.
func selected(_ all: [Target]) -> [Target] {
    guard let only = Context.environment["CAIRN_ONLY"], !only.isEmpty else { return all }
    let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    var wanted: Set<String> = []
    var queue = only.split(separator: ",").flatMap {
        $0.hasSuffix("!") ? [String($0.dropLast())] : [String($0), "\($0)Tests"]
    }
    while let name = queue.popLast() {
        guard let target = byName[name], wanted.insert(name).inserted else { continue }
        for dependency in target.dependencies {
            switch dependency {
            case .byNameItem(let name, _): queue.append(name)
            case .targetItem(let name, _): queue.append(name)
            default: break
            }
        }
    }
    return all.filter { wanted.contains($0.name) }
}

/// Programs for `./dev bench`, which sets the variable; nobody else builds them.
let benchmarks: [Target] =
    Context.environment["CAIRN_BENCHMARKS"] == nil
    ? []
    : [
        .executableTarget(
            name: "HTTPSink",
            dependencies: ["Kernel", "HTTPServer"],
            path: "Benchmarks/HTTPSink",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "StateFold",
            dependencies: ["Kernel", "Compression", "Crypto", "ObjectStorage", "StateStore", "Stacks"],
            path: "Benchmarks/StateFold",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Objects",
            dependencies: ["Kernel", "Crypto", "Transfers", "OutboundHTTP", "CloudAccess", "ObjectStorage"],
            path: "Benchmarks/Objects",
            swiftSettings: settings
        ),
    ]

/// The program of `./dev fuzz`, which sets the variable and has it instrumented.
let fuzzing: [Target] =
    Context.environment["CAIRN_FUZZING"] == nil
    ? []
    : [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "Kernel", "Contract", "JSONScan", "Compression", "Persistence", "HTTPAPI", "StateStore", "Stacks",
                "Server",
            ],
            path: "Fuzzing",
            exclude: ["README.md", "corpus"],
            swiftSettings: settings
        )
    ]

let everything =
    libraries + (tools + platform + adapters + capabilities).flatMap { $0 } + program + benchmarks + fuzzing
let targets = selected(everything)

let package = Package(
    name: "cairn",
    products: targets.contains { $0.name == "cairn" } ? [.executable(name: "cairn", targets: ["cairn"])] : [],
    targets: targets,
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
)
