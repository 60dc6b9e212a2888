import Contract
package import HTTPAPI
import Kernel

/// `/api/stacks/{orgName}/{projectName}/{stackName}/annotations/{kind}`: free JSON with a version against lost changes.
package struct StackAnnotationRoutes: RouteGroup {
    private static let limits = BodyLimits(1 << 20)

    private let annotations: StackAnnotationService

    package init(annotations: StackAnnotationService) {
        self.annotations = annotations
    }

    package func register(on routes: inout RouteTable) {
        routes.query(Operations.GetStacksAnnotation.self, access: .stack(.readAnnotations), handler: get)
        routes.mutation(
            Operations.UpsertStacksAnnotations.self,
            access: .stack(.updateAnnotations),
            audit: .stackAnnotationsUpdated,
            options: RouteOptions(limits: Self.limits),
            handler: upsert
        )
    }

    /// The version is in `ETag`: the body is the writer's own.
    func get(_ call: Call<Operations.GetStacksAnnotation>) async throws -> Reply<RawJSON> {
        let annotation = try await annotations.get(
            try AnnotationKey(kind: call.path.kind, source: call.query.source),
            version: Self.version(call.query),
            of: try call.path.stack()
        )
        return Reply(
            RawJSON(unchecked: Array(annotation.body.utf8)),
            headers: [RenderedOutput.Header("ETag", "\"\(annotation.version)\"")]
        )
    }

    func upsert(_ call: Call<Operations.UpsertStacksAnnotations>) async throws -> NoContent {
        let key = try AnnotationKey(kind: call.path.kind, source: call.query.source)
        let body: RawJSON
        do {
            body = try RawJSON(checking: try await call.content.collect())
        } catch let error as JSONError {
            throw ServiceError(.invalidArgument, "Bad Request: the body is no JSON: \(error)")
        }
        try await annotations.set(
            body.text,
            key,
            over: Self.version(call.query),
            of: try call.path.stack(),
            by: call.actor
        )
        return NoContent()
    }

    /// Some clients send 0 for a number that nobody set; versions begin with 1.
    private static func version(_ query: GetStacksAnnotationQuery) -> Int? {
        query.version.flatMap { $0 == 0 ? nil : $0 }
    }
}
