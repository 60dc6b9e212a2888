// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "contract-gen",
    targets: [
        .target(name: "ContractGen", swiftSettings: settings),
        .executableTarget(name: "contract-gen", dependencies: ["ContractGen"], swiftSettings: settings),
        .testTarget(
            name: "ContractGenTests",
            dependencies: ["ContractGen"],
            exclude: ["Golden"],
            swiftSettings: settings
        ),
    ]
)
