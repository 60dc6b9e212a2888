import Kernel

extension ServiceError {
    static func annotationNotFound(_ key: AnnotationKey) -> ServiceError {
        ServiceError(.notFound, "Not Found: the stack has no annotation '\(key.kind)' of that source and version")
    }

    static func annotationMoved(_ key: AnnotationKey, version: Int) -> ServiceError {
        ServiceError(
            .conflict,
            "Conflict: the annotation '\(key.kind)' is at version \(version); read it again and repeat the change"
        )
    }

    static func annotationsFull(_ most: Int) -> ServiceError {
        .invalid("kind", "the stack has \(most) annotations already, the most it can have")
    }
}
