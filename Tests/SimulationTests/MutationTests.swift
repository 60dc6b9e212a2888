import Testing

/// The oracle is tested, too: a rule that is broken on purpose must be found out.
@Suite("A rule that is broken on purpose")
struct MutationTests {
    @Test("is found out", arguments: Mutation.allCases)
    func isFound(_ mutation: Mutation) async throws {
        let campaign = try await Campaign.run(seeds: 1...2_000, mutation: mutation, most: 1)

        #expect(!campaign.violations.isEmpty, "\(mutation): \(campaign.summary)")
    }
}
