import Kernel

extension ServiceError {
    static let runtimeTagMissing = ServiceError(
        .invalidArgument,
        "Bad Request: the stack has no tag 'pulumi:runtime', so its language is not known; an update sets it"
    )

    static func runtimeUnknown(_ runtime: String) -> ServiceError {
        let known = StarterWorkflow.Runtime.allCases.map(\.rawValue).joined(separator: ", ")
        return ServiceError(
            .invalidArgument,
            "Bad Request: there is no workflow for the runtime '\(runtime)'; there are some for \(known)"
        )
    }
}
