import Jobs
import Testing

@Suite("How late a failed job is tried again")
struct RetryPolicyTests {
    private let policy = RetryPolicy(attempts: 10, base: .seconds(10), cap: .seconds(100))

    @Test(
        "doubles up to its cap",
        arguments: [(1, 10), (2, 20), (3, 40), (4, 80), (5, 100), (6, 100), (1_000_000, 100), (0, 10), (-5, 10)]
    )
    func doubles(attempt: Int, seconds: Int) {
        #expect(policy.delay(after: attempt, jitter: 1) == .seconds(seconds))
        #expect(policy.delay(after: attempt, jitter: 0) == .seconds(seconds) / 2)
    }
}
