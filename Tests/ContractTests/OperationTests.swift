import Contract
import Testing

@Suite("Operations of the contract")
struct OperationTests {
    @Test("are 634, each with a name of its own")
    func names() {
        let all = Operations.all

        #expect(all.count == 634)
        #expect(Set(all.map(\.id)).count == 634)
    }

    @Test("name in their paths the parameters they list, in that order")
    func parameters() {
        for operation in Operations.all {
            let inPath = operation.path.split(separator: "/").filter { $0.hasPrefix("{") && $0.hasSuffix("}") }

            #expect(inPath.map { String($0.dropFirst().dropLast()) } == operation.pathParameters, "\(operation.id)")
        }
    }

    @Test("differ in method or path")
    func places() {
        #expect(Set(Operations.all.map { "\($0.method.rawValue) \($0.path)" }).count == 634)
    }

    @Test("answer 204 or 200 by what they have to say")
    func statuses() {
        let delete = Operations.DeleteStack.descriptor
        let get = Operations.GetStack.descriptor

        #expect(delete.successStatus == 204)
        #expect(get.successStatus == 200)
    }

    @Test("belong to the holder of a lease where a running update writes")
    func leases() {
        let lease = Set(Operations.all.filter(\.usesUpdateToken).map(\.id))

        #expect(lease.contains("createJournalEntriesUpdate"))
        #expect(lease.contains("completeUpdateDestroy"))
        #expect(!lease.contains("cancelUpdateUpdate"))
        #expect(!lease.contains("startUpdateForUpdate"))
    }
}
