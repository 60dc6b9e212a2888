import JSONScan
package import Kernel
import StateStore

/// The outputs of a stack's root resource, as other stacks read them.
package struct StackOutputs: Sendable {
    private static let deadline = Duration.seconds(60)

    private let reader: StateReader
    private let compute: BlockingPool

    package init(reader: StateReader, compute: BlockingPool) {
        self.reader = reader
        self.compute = compute
    }

    /// - Returns: each output's JSON text with secrets as in the state, and the text of the state's secrets provider.
    package func read(_ ref: StackRef) async throws -> (outputs: [String: [UInt8]], provider: [UInt8]?) {
        let deployment = try await reader.document(of: reader.current(of: ref)).deployment
        return try await compute.run(deadline: Self.deadline) {
            var outputs: [String: [UInt8]] = [:]
            if let root = deployment?.rootOutputs {
                for member in JSONMembers(of: root) {
                    let name = String(decoding: JSONText.decode(root[member.key]), as: UTF8.self)
                    outputs[name] = Array(root[member.value])
                }
            }
            return (outputs, deployment?.value("secrets_providers").map { Array($0) })
        }
    }
}
