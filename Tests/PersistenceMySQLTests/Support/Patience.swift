import PersistenceMySQL
import TestKit

extension MySQLConfiguration.Limits {
    /// Long waits, because a machine that is busy with other tests is no server that is away.
    static var patient: Self { MySQLTestDriver.limits }
}
