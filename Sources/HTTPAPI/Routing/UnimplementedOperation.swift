package import Contract
import Kernel

/// An operation of the contract that nothing answers yet, and why.
///
/// It answers 501 with a body that names it, and that only to callers with a valid credential: a stranger learns no more
/// than from any other route.
package struct UnimplementedOperation: Sendable {
    package let descriptor: OperationDescriptor
    package let reason: String

    package init(_ descriptor: OperationDescriptor, reason: String) {
        self.descriptor = descriptor
        self.reason = reason
    }

    /// Pairs the ids of `reasons` with their descriptors.
    ///
    /// Traps on an id that the contract does not have: the list is written by us.
    package static func list(
        _ reasons: [(id: String, reason: String)],
        of contract: [OperationDescriptor]
    ) -> [UnimplementedOperation] {
        let byID = Dictionary(contract.map { ($0.id, $0) }) { first, _ in first }
        return reasons.map { id, reason in
            guard let descriptor = byID[id] else { preconditionFailure("the contract has no operation \(id)") }
            return UnimplementedOperation(descriptor, reason: reason)
        }
    }

    var route: Route {
        let id = descriptor.id
        let names = descriptor.pathParameters
        let isLease = descriptor.usesUpdateToken
        return Route(
            descriptor: descriptor,
            template: PathTemplate(descriptor.path),
            access: isLease ? "update-lease" : "authenticated",
            credential: isLease ? .updateToken : .token,
            audit: .unimplemented(reason),
            intake: .none,
            limits: BodyLimits(0),
            inline: nil,
            bind: { values throws(ServiceError) in
                let requirement: Requirement =
                    isLease ? try LeasePath(names, values).requirement() : .authenticated
                return BoundRoute(
                    requirement: requirement,
                    answer: { _ in throw ServiceError.unimplemented(id) }
                )
            }
        )
    }
}

/// The path to a running update, by the names of its parameters.
private struct LeasePath: UpdateScoped {
    static let parameters = ["orgName", "projectName", "stackName", "updateID"]

    let orgName: String
    let projectName: String
    let stackName: String
    let updateID: String

    init(_ names: [String], _ values: [String]) {
        self.init(pathValues: Self.parameters.map { name in names.firstIndex(of: name).map { values[$0] } ?? "" })
    }

    init(pathValues: [String]) {
        orgName = pathValues[0]
        projectName = pathValues[1]
        stackName = pathValues[2]
        updateID = pathValues[3]
    }

    func requirement() throws(ServiceError) -> Requirement {
        try Access<Self>.updateLease.requirement(self)
    }
}
