import Foundation
import StateStore
import Testing

@Suite(
    "Recordings of real clients",
    .enabled(
        if: Recordings.folder != nil,
        "the recordings are not here; set CAIRN_SHARED to the folder that holds them"
    )
)
struct RecordingTests {
    @Test(
        "fold to the states that the client's own replayer made of them",
        arguments: Recordings.names(inModes: ["journal", "journal2", "nobatch", "begin"])
    )
    func journals(name: String) throws {
        var story = RecordedStory(deltaLimit: 0)

        for exchange in try Recordings.exchanges(of: name) { try story.follow(exchange) }

        #expect(story.comparedStates > 0 || ["account", "new"].contains(name))
    }

    @Test("apply every delta, with the hash the client computed", arguments: Recordings.names(inModes: ["delta"]))
    func deltas(name: String) throws {
        // All of `big-delta` hash and check two gigabytes.
        let isLong = ProcessInfo.processInfo.environment["CAIRN_LONG"] != nil
        var story = RecordedStory(deltaLimit: isLong ? .max : 80)

        for exchange in try Recordings.exchanges(of: name) { try story.follow(exchange) }

        #expect(story.appliedDeltas > 0)
    }
}
