#if CAIRN_FAILPOINTS
    import Kernel
    import Testing

    /// Nothing is installed here: points of this process stay as they are, whatever else runs in it.
    struct FailpointTests {
        @Test("Every point has a name of its own, in words with dots")
        func names() {
            let names = Failpoint.allCases.map(\.name)

            #expect(Set(names).count == names.count)
            #expect(names.count >= 80)
            #expect(names.allSatisfy { name in name.contains(".") && name.allSatisfy { $0.isLowercase || $0 == "." } })
            #expect(Failpoint.objectFolderSync.name == "object.folder.sync")
        }

        @Test("No name is longer than its place in the shared memory")
        func lengths() {
            #expect(Failpoint.allCases.allSatisfy { $0.name.utf8.count < 56 })
        }

        @Test(
            "A point, an action and a number are read",
            arguments: [
                ("sqlite.commit:kill", Failpoint.sqliteCommit, FailpointAction.kill, 1),
                ("object.write:error:3", .objectWrite, .error, 3),
                ("answer.whole:delay=250:12", .answerWhole, .delay(250), 12),
                ("key.make:delay=1", .keyMake, .delay(1), 1),
            ]
        )
        func parse(text: String, point: Failpoint, action: FailpointAction, nth: Int) {
            #expect(FailpointConfiguration.parse(text) == .init(point: point, action: action, nth: nth))
        }

        @Test(
            "Anything else stops the start, with the name of the variable",
            arguments: [
                "sqlite.commit", "sqlite.commit:", "sqliteCommit:kill", "nowhere:kill", ":kill", "sqlite.commit:die",
                "sqlite.commit:kill:0", "sqlite.commit:kill:-1", "sqlite.commit:kill:x", "sqlite.commit:kill:1:1",
                "sqlite.commit:delay", "sqlite.commit:delay=", "sqlite.commit:delay=0", "sqlite.commit:delay=-5",
                "sqlite.commit:delay=600001", "sqlite.commit:delay=1s", "SQLITE.COMMIT:kill",
            ]
        )
        func refused(text: String) {
            let error = #expect(throws: ConfigurationError.self) {
                try FailpointConfiguration(settings: Settings(["CAIRN_FAILPOINT": text]))
            }

            #expect("\(error.map { "\($0)" } ?? "")".contains("CAIRN_FAILPOINT"))
        }

        @Test("Without the variables there is nothing to do")
        func unset() throws {
            let configuration = try FailpointConfiguration(settings: Settings([:]))

            #expect(configuration.armed == nil)
            #expect(configuration.file == nil)
        }

        @Test("A file that cannot be opened stops the start")
        func noFile() throws {
            let settings = Settings(["CAIRN_FAILPOINT_FILE": "/nowhere/at/all"])
            let configuration = try FailpointConfiguration(settings: settings)

            #expect(throws: ConfigurationError.self) { try configuration.install() }
        }

        @Test("The nth pass fails, and no other one")
        func nthPass() {
            let control = Self.control()

            control.arm(.objectWrite, .error, nth: 3)
            let failures = (1...5).map { _ in control.pass(.objectWrite) }

            #expect(failures == [false, false, true, false, false])
            #expect(control.passes(of: .objectWrite) == 5)
        }

        @Test("Other points pass, and are counted, while one is armed")
        func otherPoints() {
            let control = Self.control()

            control.arm(.objectWrite, .error)

            #expect(!control.pass(.objectSync))
            #expect(!control.pass(.sqliteCommit))
            #expect(control.pass(.objectWrite))
            #expect(control.passes(of: .objectSync) == 1)
            #expect(control.passes(of: .objectLink) == 0)
        }

        @Test("Arming another point starts counting anew")
        func armedAgain() {
            let control = Self.control()
            control.arm(.objectWrite, .error, nth: 2)
            _ = control.pass(.objectWrite)

            control.arm(.objectSync, .error, nth: 2)

            #expect(!control.pass(.objectWrite))
            #expect(!control.pass(.objectSync))
            #expect(control.pass(.objectSync))
        }

        @Test("A delay lets time pass, and nothing fails")
        func delay() {
            let control = Self.control()
            control.arm(.objectWrite, .delay(20))
            let start = ContinuousClock.now

            let fails = control.pass(.objectWrite)

            #expect(!fails)
            #expect(start.duration(to: .now) >= .milliseconds(20))
        }

        @Test("The clock of housekeeping is not ahead unless a test says so")
        func ahead() {
            #expect(Self.control().ahead == .zero)
        }

        @Test("A step that no test breaks does not fail")
        func notInstalled() throws {
            try Failpoint.reach(.objectWrite)
            try Failpoint.reach(.objectWrite, or: CancellationError())

            #expect(!Failpoint.fails(.objectWrite))
        }

        /// In memory that stays, as a control wants it.
        private static func control() -> FailpointControl {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: FailpointControl.size, alignment: 8)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: FailpointControl.size)
            return FailpointControl(memory)
        }
    }
#endif
