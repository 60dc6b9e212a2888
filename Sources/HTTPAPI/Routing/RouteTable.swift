package import Contract
package import Kernel

/// Binds operations to handlers.
///
/// A capability has a few of these, one per folder.
package protocol RouteGroup: Sendable {
    func register(on routes: inout RouteTable)
}

/// All operations that are answered, each with its access and its audit action.
///
/// Every function is a thin generic shim over a `Route`, so that 634 operations do not make 634 copies of the pipeline.
package struct RouteTable: Sendable {
    package private(set) var routes: [Route] = []
    private var ids: Set<String> = []

    package init() {}

    package init(_ groups: [any RouteGroup]) {
        for group in groups { group.register(on: &self) }
    }

    // MARK: - Queries

    /// An operation that changes nothing.
    package mutating func query<Op: APIOperation>(
        _ operation: Op.Type,
        access: Access<Op.Path>,
        options: RouteOptions = RouteOptions(),
        handler: @escaping @Sendable (Call<Op>) async throws -> Op.Output
    ) {
        add(operation, access, .query, options, answer: Self.plain(handler))
    }

    /// An operation that changes nothing and says more than its output: a status, a header or a warning.
    package mutating func query<Op: APIOperation>(
        _ operation: Op.Type,
        access: Access<Op.Path>,
        options: RouteOptions = RouteOptions(),
        handler: @escaping @Sendable (Call<Op>) async throws -> Reply<Op.Output>
    ) {
        add(operation, access, .query, options, answer: handler)
    }

    /// An operation that takes nothing, may be called by everybody, and answers the same for as long as the process runs.
    ///
    /// The answer is made here, once, and given where the request came in.
    package mutating func inline<Op: APIOperation>(
        _ operation: Op.Type,
        output: () throws -> Op.Output
    ) where Op.Path == NoPath, Op.Query == NoQuery, Op.Body == NoBody {
        let answer = Result {
            RawReply(status: Op.descriptor.successStatus, output: try output().render(), warnings: [])
        }
        add(operation, .anonymous, .query, BodyLimits(0), inline: answer) { path in
            { raw in
                _ = try Call<Op>(path: path, raw, body: NoBody())
                return try answer.get()
            }
        }
    }

    // MARK: - Mutations

    /// An operation that changes something and records it as `audit`.
    package mutating func mutation<Op: APIOperation>(
        _ operation: Op.Type,
        access: Access<Op.Path>,
        audit: AuditAction,
        options: RouteOptions = RouteOptions(),
        handler: @escaping @Sendable (Call<Op>) async throws -> Op.Output
    ) {
        add(operation, access, .action(audit), options, answer: Self.plain(handler))
    }

    /// An operation that changes something, records it as `audit`, and says more than its output.
    package mutating func mutation<Op: APIOperation>(
        _ operation: Op.Type,
        access: Access<Op.Path>,
        audit: AuditAction,
        options: RouteOptions = RouteOptions(),
        handler: @escaping @Sendable (Call<Op>) async throws -> Reply<Op.Output>
    ) {
        add(operation, access, .action(audit), options, answer: handler)
    }

    /// An operation that changes something and is not recorded by itself, such as the steps of an update that is.
    ///
    /// - Parameter reason: why not, for `docs/routes.txt`.
    package mutating func mutation<Op: APIOperation>(
        _ operation: Op.Type,
        access: Access<Op.Path>,
        unaudited reason: String,
        options: RouteOptions = RouteOptions(),
        handler: @escaping @Sendable (Call<Op>) async throws -> Op.Output
    ) {
        add(operation, access, .unaudited(reason), options, answer: Self.plain(handler))
    }

    // MARK: - Unimplemented

    /// Operations that nothing answers yet: 501, after the caller has shown a valid credential.
    package mutating func unimplemented(_ operations: [UnimplementedOperation]) {
        for operation in operations { append(operation.route) }
    }

    // MARK: - Shims

    private static func plain<Op: APIOperation>(
        _ handler: @escaping @Sendable (Call<Op>) async throws -> Op.Output
    ) -> @Sendable (Call<Op>) async throws -> Reply<Op.Output> {
        { call in Reply(try await handler(call)) }
    }

    private mutating func add<Op: APIOperation>(
        _ operation: Op.Type,
        _ access: Access<Op.Path>,
        _ audit: Route.Audit,
        _ options: RouteOptions,
        answer: @escaping @Sendable (Call<Op>) async throws -> Reply<Op.Output>
    ) {
        let limits = options.limits ?? .standard(for: Op.Body.intake)
        let ignoresUnknownFields = Op.descriptor.ignoresUnknownFields
        add(operation, access, audit, limits) { path in
            { raw in
                let body = try await raw.content.decode(
                    Op.Body.self,
                    takesEmpty: options.takesEmptyBody,
                    ignoresUnknownFields: ignoresUnknownFields
                )
                return try await answer(Call(path: path, raw, body: body)).render(Op.descriptor)
            }
        }
    }

    private mutating func add<Op: APIOperation>(
        _ operation: Op.Type,
        _ access: Access<Op.Path>,
        _ audit: Route.Audit,
        _ limits: BodyLimits,
        inline: Result<RawReply, any Error>? = nil,
        answer: @escaping @Sendable (Op.Path) -> @Sendable (RawCall) async throws -> RawReply
    ) {
        append(
            Route(
                descriptor: Op.descriptor,
                template: PathTemplate(Op.descriptor.path),
                access: access.description,
                credential: access.credential,
                audit: audit,
                intake: Op.Body.intake,
                limits: limits,
                inline: inline,
                bind: { values throws(ServiceError) in
                    let path = Op.Path(pathValues: values)
                    return BoundRoute(requirement: try access.requirement(path), answer: answer(path))
                }
            )
        )
    }

    /// Two bindings of one operation are a mistake of ours that no request could show.
    private mutating func append(_ route: Route) {
        precondition(ids.insert(route.descriptor.id).inserted, "bound twice: \(route.descriptor.id)")
        routes.append(route)
    }
}
