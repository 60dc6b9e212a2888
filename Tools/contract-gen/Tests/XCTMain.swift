import Testing

/// Runs every test of the package.
///
/// The package manager would find XCTest cases through the index store, which costs more than half of the compile
/// time. There are none: all tests are of Swift Testing, which needs only this.
@main
struct TestMain {
    static func main() async {
        await Testing.__swiftPMEntryPoint() as Never
    }
}
