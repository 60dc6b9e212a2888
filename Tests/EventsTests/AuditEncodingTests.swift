import Events
import Kernel
import TestKit
import Testing

@Suite("The bytes that an audit event's hash covers")
struct AuditEncodingTests {
    @Test("differ for every two events that differ, also where their texts run together")
    func differs() {
        let effects = ManualClock().effects
        let id: AuditEventID = effects.id()
        let base = event(id, login: "dev", subject: "ab", details: [])
        let others = [
            event(id, login: "de", subject: "vab", details: []),
            event(id, login: "dev", subject: "a", details: [AuditEvent.Detail("b", "")]),
            event(id, login: "dev", subject: "ab", details: [AuditEvent.Detail("", "")]),
            event(
                id,
                login: "dev",
                subject: "ab",
                details: [AuditEvent.Detail("a", "b"), AuditEvent.Detail("c", "d")]
            ),
            event(
                id,
                login: "dev",
                subject: "ab",
                details: [AuditEvent.Detail("a", "bc"), AuditEvent.Detail("", "d")]
            ),
            event(effects.id(), login: "dev", subject: "ab", details: []),
        ]

        let encodings = ([base] + others).map { $0.encoded(after: [1, 2, 3]) }

        #expect(Set(encodings).count == encodings.count)
        #expect(base.encoded(after: [1, 2, 3]) != base.encoded(after: [1, 2, 4]))
        #expect(base.encoded(after: []) != base.encoded(after: [0]))
    }

    private func event(
        _ id: AuditEventID,
        login: String,
        subject: String,
        details: [AuditEvent.Detail]
    ) -> AuditEvent {
        AuditEvent(
            id: id,
            scope: .server,
            sequence: 1,
            action: .stackCreated,
            actor: Actor(kind: .user, userID: nil, login: login),
            subject: subject,
            details: details,
            at: Timestamp(seconds: 1)
        )
    }
}
