#if CAIRN_FAILPOINTS
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// What a test wants to happen; a build for people knows none of it, and refuses the variables as unknown.
    ///
    /// | Variable | Meaning | Default |
    /// |---|---|---|
    /// | `CAIRN_FAILPOINT` | `name:kill`, `name:error` or `name:delay=ms`, and `:n` for the nth pass | none |
    /// | `CAIRN_FAILPOINT_FILE` | File that is shared with the test, which arms points while the server runs | none |
    package struct FailpointConfiguration: Sendable {
        package struct Armed: Sendable, Equatable {
            package var point: Failpoint
            package var action: FailpointAction
            package var nth: Int

            package init(point: Failpoint, action: FailpointAction, nth: Int) {
                self.point = point
                self.action = action
                self.nth = nth
            }
        }

        package let armed: Armed?
        package let file: String?

        package init(settings: Settings) throws(ConfigurationError) {
            let settings = settings.section()
            file = settings.string("CAIRN_FAILPOINT_FILE")
            let text = settings.string("CAIRN_FAILPOINT")
            armed = text.flatMap { Self.parse($0) }
            if text != nil, armed == nil {
                settings.report(
                    "CAIRN_FAILPOINT",
                    "must be NAME:kill, NAME:error or NAME:delay=MS, and :N for the Nth pass"
                )
            }
            try settings.check()
        }

        /// Nil for what is no point, no action or no number.
        package static func parse(_ text: String) -> Armed? {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard (2...3).contains(parts.count), let point = Failpoint.allCases.first(where: { $0.name == parts[0] }),
                let action = action(parts[1]), let nth = parts.count == 3 ? Int(parts[2]) : 1, nth > 0
            else { return nil }
            return Armed(point: point, action: action, nth: nth)
        }

        private static func action(_ text: String) -> FailpointAction? {
            switch text {
            case "kill": return .kill
            case "error": return .error
            default:
                guard text.hasPrefix("delay="), let time = Int(text.dropFirst(6)), (1...600_000).contains(time) else {
                    return nil
                }
                return .delay(time)
            }
        }

        /// Makes it happen; before anything is opened.
        package func install() throws(ConfigurationError) {
            guard armed != nil || file != nil else { return }
            let control = FailpointControl(try memory())
            if let armed { control.arm(armed.point, armed.action, nth: armed.nth) }
            control.install()
        }

        private func memory() throws(ConfigurationError) -> UnsafeMutableRawPointer {
            let descriptor = file.map { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) } ?? -1
            defer { if descriptor >= 0 { close(descriptor) } }
            let flags = file == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
            // The test may have made it larger, and have it open.
            guard file == nil || posix_fallocate(descriptor, 0, off_t(FailpointControl.size)) == 0,
                let memory = mmap(nil, FailpointControl.size, PROT_READ | PROT_WRITE, flags, descriptor, 0),
                memory != MAP_FAILED
            else {
                let reason = String(cString: strerror(errno))
                throw ConfigurationError([.init(setting: "CAIRN_FAILPOINT_FILE", text: "cannot be used: \(reason)")])
            }
            return memory
        }
    }
#endif
