package import Identity
package import Kernel
package import Persistence

/// Says who holds the lease of an update, as a test wants it.
package struct TestLeases: LeaseVerifier {
    package typealias Verify = @Sendable (String, UpdateID, StackRef, Transaction) throws -> LeaseHolder

    private let verify: Verify

    package init(_ verify: @escaping Verify) {
        self.verify = verify
    }

    /// No update runs, so no token of one is good.
    package static let none = TestLeases { _, _, _, _ in
        throw ServiceError(.notFound, "Not Found: Update not found")
    }

    package func holder(
        token: String,
        update: UpdateID,
        of stack: StackRef,
        in tx: Transaction
    ) throws -> LeaseHolder {
        try verify(token, update, stack, tx)
    }
}
