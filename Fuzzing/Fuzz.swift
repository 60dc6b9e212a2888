// The entry of libFuzzer: one program for all targets, of which `CAIRN_FUZZ_TARGET` names the one to run.
//
// Built and run by `./dev fuzz`; README.md beside this says how. A target calls code with hostile bytes and checks what
// must hold for all of them. A trap is a finding, because it would end the server (`reliability-security.md` D12).
import Glibc

/// Ends the process when something does not hold, which is how a fuzzer is told.
func require(_ condition: Bool, _ what: String) {
    guard condition else { fatalError("does not hold: \(what)") }
}

private let targets: [String: @Sendable (ArraySlice<UInt8>) -> Void] = [
    "router": RouterTarget.run,
    "gzip": GzipTarget.run,
    "scan": ScanTarget.run,
    "delta": DeltaTarget.run,
    "fold": FoldTarget.run,
    "sql": SQLTarget.run,
    "cursor": CursorTarget.run,
    "configuration": ConfigurationTarget.run,
]

private let target: @Sendable (ArraySlice<UInt8>) -> Void = {
    let name = getenv("CAIRN_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        fatalError("CAIRN_FUZZ_TARGET is one of \(targets.keys.sorted().joined(separator: ", "))")
    }
    return target
}()

/// libFuzzer calls this by name, again and again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: start, count: count))[...])
    return 0
}
