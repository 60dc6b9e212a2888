/// How long a test's database lets a closure wait for its turn, a connection or a row, and how long one read may take.
///
/// The defaults of the drivers, after which they refuse loudly, are those of a service. On a machine that runs other
/// tests at the same time they would fail a test of something else; tests of the limits set their own.
package enum TestPatience {
    package static let limit = Duration.seconds(60)
}
