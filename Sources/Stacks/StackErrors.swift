package import Kernel

/// Every message of this folder. Clients parse some of them: a test pins those.
extension ServiceError {
    package static func stackNotFound(_ ref: StackRef) -> ServiceError {
        ServiceError(.notFound, "Not Found: stack '\(ref)' not found")
    }

    /// Clients look for `already exists` (`spec/cli-protocol.md` §6.4).
    static func stackExists(_ ref: StackRef) -> ServiceError {
        ServiceError(
            .conflict,
            "Conflict: stack '\(ref)' already exists",
            details: [Detail(kind: "already_exists", attribute: "stackName", resource: "stack")]
        )
    }

    /// Clients compare the whole text (`spec/cli-protocol.md` §6.5).
    static let stackHasResources = ServiceError(.invalidArgument, "Bad Request: Stack still contains resources.")

    static let renameChangesNothing = ServiceError(.invalidArgument, "No rename to apply.")

    static func projectNotFound(_ project: ProjectRef) -> ServiceError {
        ServiceError(.notFound, "Not Found: project '\(project)' not found")
    }

    static func teamUnknown(_ name: String) -> ServiceError {
        .invalid("teams", "there is no team '\(name)'")
    }

    static func tagNotFound(_ name: String) -> ServiceError {
        ServiceError(.notFound, "Not Found: tag '\(name)' not found")
    }

    static func tagExists(_ name: String) -> ServiceError {
        ServiceError(
            .invalidArgument,
            "Bad Request: name: the stack has a tag '\(name)' already",
            details: [Detail(kind: "already_exists", attribute: "name")]
        )
    }

    static func tagIsBuiltIn(_ name: String) -> ServiceError {
        .invalid("tags.\(name)", "follows the stack's project and cannot be changed by itself")
    }
}
