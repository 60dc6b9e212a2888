import Encryption
package import HTTPAPI
import Kernel
import OutboundHTTP
import Persistence
import Telemetry
import Transfers

/// `cairn routes`: every route with its access and its audit action, as in `docs/routes.txt`.
package struct RoutesCommand: Command {
    package static let name = "routes"
    package static let summary = "Lists every route, who may call it and what is audited"

    package init(_ parsed: ParsedArguments) {}

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        environment.standardOutput(Self.listing(environment).text)
        return ExitCode.success
    }

    package static func listing(_ environment: ProcessEnvironment) -> RouteListing {
        RouteListing(table(environment).routes)
    }

    /// Every route over parts that refuse everything: which routes there are depends on no database.
    package static func table(_ environment: ProcessEnvironment) -> RouteTable {
        let foundation = Application.Foundation(
            database: Database(driver: ClosedDatabase()),
            objects: ClosedObjects(),
            keys: DataKeys(provider: ClosedKeys(), effects: environment.effects),
            effects: environment.effects,
            clock: environment.clock,
            compute: BlockingPool(name: "compute", threads: 0, queue: 0),
            outbound: OutboundClient(rules: OutboundRules(), transfers: Transfers())
        )
        let readiness = Readiness(checks: [], clock: environment.clock)
        return Application.routes(foundation, readiness: readiness)
    }
}
