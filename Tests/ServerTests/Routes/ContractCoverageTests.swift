import Kernel
import Contract
import Foundation
import HTTPAPI
import Server
import Testing

@Suite("The routes and the contract")
struct ContractCoverageTests {
    /// Probes of load balancers and pages for browsers, which the contract does not have.
    private let own: Set<String> = [
        "livez", "readyz", "status", "cliLoginForm", "cliLogin", "cliLoginStyle", "cliWelcome",
    ]

    @Test("Every operation of the contract is answered or listed as not built, and nothing else is")
    func covers() {
        let bound = Set(EveryRoute.routes.filter(\.isImplemented).map(\.descriptor.id)).subtracting(own)
        let missing = Set(Unimplemented.operations.map(\.descriptor.id))
        let contract = Set(Operations.all.map(\.id))

        #expect(bound.isDisjoint(with: missing))
        #expect(bound.union(missing) == contract)
        #expect(EveryRoute.routes.count == contract.count + own.count)
    }

    @Test("What the generator made is the contract: 634 operations with their methods and paths")
    func generatesAll() throws {
        let contract = try ContractFile.read()

        let generated = Set(Operations.all.map { "\($0.id) \($0.method.rawValue) \($0.path)" })

        #expect(contract.operations.count == 634)
        #expect(generated == Set(contract.operations.map { "\($0.id) \($0.method) \($0.path)" }))
    }

    @Test("What is not built has a reason that a reader understands")
    func givesReasons() {
        for operation in Unimplemented.operations {
            #expect(operation.reason.split(separator: " ").count >= 2, "\(operation.descriptor.id)")
        }
    }

    @Test("Every mutation says what is audited, or why nothing is")
    func statesAudit() {
        for route in EveryRoute.routes where route.isImplemented {
            switch route.audit {
            case .query:
                // Reading with POST is possible; writing with GET is not.
                continue
            case .action(let action):
                #expect(action.slug.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil, "\(route.name)")
                #expect(route.descriptor.method != .get && route.descriptor.method != .head, "\(route.name)")
            case .unaudited(let reason):
                #expect(reason.split(separator: " ").count >= 3, "\(route.name)")
            case .unimplemented:
                Issue.record("\(route.name) counts as built and as not built")
            }
        }
    }

    @Test("Routes that change something are not called queries")
    func declaresMutations() {
        let writing: Set<OperationMethod> = [.put, .patch, .delete]

        for route in EveryRoute.routes where route.isImplemented && writing.contains(route.descriptor.method) {
            #expect(route.audit != .query, "\(route.name)")
        }
    }

    @Test("Everybody may call only what is about the service itself, and where credentials are given out")
    func guards() {
        let open = EveryRoute.routes.filter { $0.access == "anonymous" }.map(\.descriptor.id)

        #expect(Set(open) == own.union(["capabilities", "version", "token"]))
    }
}

/// `Contract/contract.json`, as far as tests need it.
struct ContractFile: Decodable {
    struct Operation: Decodable {
        let id: String
        let method: String
        let path: String
    }

    struct Overlap: Decodable {
        let method: String
        let paths: [String]
        let kind: String
    }

    let operations: [Operation]
    let overlappingRoutes: [Overlap]

    static func read() throws -> ContractFile {
        try JSONDecoder().decode(ContractFile.self, from: Repository.read("Contract/contract.json"))
    }
}
