import Persistence

extension Migration {
    /// Batches of events by their first number, so that a page of events reads those it shows and not all behind them.
    ///
    /// The last number is in the index because batches may overlap, and it says which of them are over.
    static let eventOrder = Migration(
        11,
        "event_order",
        [
            .createIndex(["update_id", "first_sequence", "last_sequence"], on: "event_segments"),
            .dropIndex(["update_id", "last_sequence"], on: "event_segments"),
        ]
    )
}
