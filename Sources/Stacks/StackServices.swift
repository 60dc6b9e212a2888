package import Encryption
package import HTTPAPI
package import Jobs
package import Kernel
package import Persistence

/// The capability of stacks, wired.
package struct StackServices: Sendable {
    package let routes: [any RouteGroup]
    package let jobs: [JobRunner.Kind]

    package init(
        database: Database,
        effects: Effects,
        objects: any ObjectStore,
        keys: DataKeys,
        compute: BlockingPool
    ) {
        let state = StateServices(database: database, effects: effects, objects: objects, compute: compute)
        let (reader, writer) = (state.reader, state.writer)
        let ending = UpdateEnding(database: database, effects: effects, state: state)
        let hold = StackHold(database: database, effects: effects, ending: ending)
        let stacks = StackService(database: database, effects: effects, writer: writer, reader: reader, hold: hold)
        let updates = UpdateService(database: database, effects: effects, ending: ending)
        let states = MovedStates(reader: reader, writer: writer, compute: compute)
        let moves = StackRenameService(effects: effects, reader: reader, states: states, hold: hold)
        let references = StackReferenceService(database: database)
        let journal = JournalService(database: database, effects: effects, objects: state.objects, compute: compute)
        let events = EngineEventService(database: database, effects: effects, objects: state.events, compute: compute)
        routes = [
            StackRoutes(stacks: stacks, renames: moves),
            StackTransferRoutes(moves: moves),
            StackReferenceRoutes(references: references),
            StackResourceRoutes(
                resources: StackResourceService(database: database, reader: reader),
                stacks: stacks,
                references: references
            ),
            StackSettingsRoutes(settings: StackSettingsService(database: database, effects: effects)),
            StackConfigRoutes(configurations: StackConfigService(database: database, effects: effects, hold: hold)),
            StackAnnotationRoutes(annotations: StackAnnotationService(database: database, effects: effects)),
            StackAccessRoutes(access: StackAccessService(database: database, effects: effects)),
            StackPolicyRoutes(),
            StarterWorkflowRoutes(stacks: stacks),
            DeletedStackRoutes(
                deleted: DeletedStackService(database: database, effects: effects, reader: reader, states: states)
            ),
            StackTagRoutes(tags: StackTagService(database: database, effects: effects)),
            UpdateRoutes(updates: updates),
            BeginUpdateRoutes(UpdateBeginning(updates: updates, stacks: stacks, reader: reader)),
            SaveRoutes(
                checkpoints: CheckpointService(database: database, effects: effects, state: state, compute: compute),
                journal: journal
            ),
            EngineEventRoutes(events: events),
            StateRoutes(
                reader: reader,
                imports: StateImport(effects: effects, writer: writer, hold: hold),
                outputs: StackOutputs(reader: reader, compute: compute)
            ),
            HistoryRoutes(history: HistoryService(database: database)),
            SecretRoutes(
                secrets: SecretService(database: database, effects: effects, keys: keys, compute: compute)
            ),
            ProjectSecretRoutes(
                secrets: ProjectSecretService(database: database, effects: effects, keys: keys, compute: compute)
            ),
        ]
        jobs = [
            JobRunner.Kind(ExpireLeasesJob(hold: hold)),
            JobRunner.Kind(HousekeepingJob(database: database, objects: objects, effects: effects)),
        ]
    }
}
