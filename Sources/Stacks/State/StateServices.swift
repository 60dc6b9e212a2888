package import Kernel
package import Persistence

/// What everything that reads or writes state shares, wired.
package struct StateServices: Sendable {
    package let objects: StateObjects
    /// For the batches of engine events.
    package let events: StateObjects
    package let writer: VersionWriter
    package let checkpoints: CheckpointTexts
    package let reader: StateReader

    /// - Parameter rowLimit: see `StateObjects`.
    package init(
        database: Database,
        effects: Effects,
        objects store: any ObjectStore,
        compute: BlockingPool,
        rowLimit: Int = StoredBytes.rowLimit
    ) {
        objects = StateObjects(objects: store, effects: effects, rowLimit: rowLimit)
        events = StateObjects(objects: store, in: .events, effects: effects, rowLimit: rowLimit)
        writer = VersionWriter(objects: objects, compute: compute)
        let versions = VersionReader(objects: objects, compute: compute)
        checkpoints = CheckpointTexts(objects: objects, writer: writer, reader: versions, compute: compute)
        reader = StateReader(
            database: database,
            objects: objects,
            versions: versions,
            checkpoints: checkpoints,
            compute: compute
        )
    }
}
