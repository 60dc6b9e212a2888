/// A place beside a durable step, where a test makes the process die, the step fail, or time pass.
///
/// Each is somewhere the durable or visible state differs from that of its neighbours, or where a confirmation stands
/// between two of them: an instruction later a crash, or an error, would mean something else. Builds for tests hold them;
/// a release build has neither the code nor the variables (`FailpointControl`), and `Tests/Faults` goes through all.
///
/// The name of a point is its case with dots: `sqliteCommit` is `sqlite.commit`. A verb is the moment before the step, a
/// participle the one after it.
///
/// Public and in two forms for the same reason as `Locked`: only then the compiler removes the calls of a release.
public enum Failpoint: Sendable {
    // Objects in a folder.
    case objectTemporaryOpen, objectTemporaryOpened, objectWrite, objectSync
    case objectLink, objectLinked, objectRename, objectRenamed, objectFolderSync, objectFolderSynced
    case objectDelete, objectDeleted, objectDeleteSynced
    case objectSweepProbe, objectSweepRemove, objectParentSync, objectFoldersSync

    // Objects in a bucket.
    case bucketPut, bucketPutDone, bucketPart, bucketPartDone, bucketComplete, bucketCompleted
    case bucketDelete, bucketDeleted

    // The database engines.
    case sqliteFileMake, sqliteFolderSync, sqliteFolderSynced
    case sqliteBegin, sqliteStatement, sqliteStatementDone, sqliteSavepoint, sqliteCommit, sqliteCommitted
    case sqliteCheckpoint, sqliteCheckpointed
    case mysqlBegin, mysqlStatement, mysqlStatementDone, mysqlCommit, mysqlCommitSent, mysqlCommitted
    case mysqlMigrationLocked, mysqlMigrationUnlock

    // The first start.
    case migrationLedgerMake, migrationLedgerMade, migrationBegin, migrationStep, migrationStepDone
    case migrationRecord, migrationRecorded, migrationEnd
    case keyFolderMake, keyFileOpen, keyFileWrite, keyFileSync, keyFileLink, keyFileLinked
    case keyFolderSync, keyFolderSynced
    case keyCanaryMade, keyCanaryInserted, keyCanaryKept
    case installBegin, installClaimed, installMade, installDone, scheduleDone, heartbeatExtended, heartbeatBeat

    // Stacks and who holds them.
    case stackStateStored, stackInserted, stackGranted, stackCreated
    case stackLock, stackLocked, leaseChecked, leaseExtended, leaseRenewed
    case updateInserted, updateStarted, stackTaken, updateBegan
    case stackMarkedDeleted, stackDeleted, renamePrepared, renameMoved, renameDone

    // What an update saves.
    case checkpointStored, checkpointReplaced, checkpointSaved, checkpointDiscarded
    case deltaStore, deltaStored, deltaInserted, deltaSaved
    case deltaWholeStore, deltaWholeStored, deltaWholeReplaced, deltaWholeSaved, deltaWholeDiscarded
    case journalStored, journalInserted, journalSaved, journalReconciled
    case eventsStore, eventsStored, eventsInserted, eventsSaved
    case bodyStore, bodyStored

    // What becomes of it.
    case foldRead, foldVerified, foldDone, packStore
    case endingPrepared, versionInserted, savedDeleted, stackReleased, updateFinished, updateEnded, endingDiscarded
    case importPrepared, importInserted, importSaved

    // Beside every change.
    case outboxPublished, auditLocked, auditInserted, auditHeadSet

    // What copies the audit log.
    case auditCopySend, auditCopySent, auditCopyMark, auditCopyMarked

    // Behind the scenes.
    case jobInserted, jobClaimed, jobBegin, jobRan, jobSettled, outboxRemoved, outboxDispatched
    case expireFound, expireDone
    case purgeKeysDeleted, purgeRowsDeleted, stackPurged, unstartedFound, unstartedDeleted
    case sweepFound, sweepDelete, sweepDeleted

    // Data keys.
    case keyMake, keyMade, keyInserted, keyReread, keyKept
    case projectInserted, projectKeyMade, projectKeyInserted, projectKeyKept

    // Moves from one database to another.
    case moveTargetClaimed, moveSourceMarked, moveTableRename, moveTablesRenamed
    case moveRowsInserted, moveRowsCopied, moveCompared, moveSourceClosed, moveTargetReady, moveTargetServed
    case moveTakenBack, moveCancelling, moveTableReturn, moveTablesReturned
    case moveTraceLay, moveTracesLaid, moveChangesWritten, moveChangesTaken, moveTableChecked, moveTraceLift

    // Answers.
    case answerWhole, answerHanded, answerHead, answerPiece, answerEnd
}

extension Failpoint {
    /// Passes a point.
    ///
    /// - Throws: the failure, when the step is to fail; what it throws when it really does.
    @inlinable
    public static func reach<Failure: Error>(
        _ point: Failpoint,
        or failure: @autoclosure () -> Failure
    ) throws(Failure) {
        if fails(point) { throw failure() }
    }

    /// The same for a step whose failure a client sees as a service that cannot do it now.
    @inlinable
    public static func reach(_ point: Failpoint) throws {
        if fails(point) { throw simulated }
    }

    @usableFromInline
    static var simulated: any Error { ServiceError.unavailable("A step failed on purpose.") }

    #if CAIRN_FAILPOINTS
        /// Passes a point: true when its step is to fail.
        ///
        /// Where nothing can be armed, it costs one load.
        public static func fails(_ point: Failpoint) -> Bool {
            FailpointControl.current?.pass(point) ?? false
        }
    #else
        /// Nothing, in a build that is not for tests.
        @inlinable
        public static func fails(_ point: Failpoint) -> Bool { false }
    #endif
}

#if CAIRN_FAILPOINTS
    extension Failpoint: CaseIterable {
        /// What settings and tests call it, such as `object.folder.sync`.
        package var name: String {
            "\(self)".reduce(into: "") { $0 += $1.isUppercase ? ".\($1.lowercased())" : "\($1)" }
        }
    }
#endif
