import Kernel

/// One life of a server's process: it ends in a crash.
///
/// What runs in it afterwards changes nothing any more, and ends at its next step.
///
/// SAFETY: `@unchecked` because it changes; only the thread that runs the seed uses it.
final class Process: @unchecked Sendable {
    private(set) var isAlive = true

    func die() {
        isAlive = false
    }

    func checkAlive() throws {
        guard isAlive else { throw ProcessDied() }
    }
}

struct ProcessDied: Error {}

/// A machine with a server on it: its clock, and the process that runs at the time.
///
/// SAFETY: as `Process`.
final class Machine: @unchecked Sendable {
    let number: Int
    let lane: Lane
    private unowned let world: World
    private(set) var process = Process()
    private(set) var services: Services
    /// How far its clock is off, in microseconds.
    var skew: Int64 = 0
    /// What its clock shows for as long as it stands still.
    var frozenTime: Timestamp?

    init(number: Int, _ world: World) {
        self.number = number
        self.world = world
        lane = Lane("server \(number)", number: number, world.scheduler)
        services = Services(world, process) { world.time }
    }

    var time: Timestamp {
        frozenTime ?? Timestamp(microseconds: world.time.microseconds + skew)
    }

    /// Starts a process with empty caches.
    func boot() {
        process = Process()
        services = Services(world, process) { [unowned self] in time }
        let (world, process, services) = (world, process, services)
        world.scheduler.start(on: lane) { await services.expireLeases(while: process, in: world) }
        world.scheduler.start(on: lane) { await services.keepHouse(while: process, in: world) }
    }

    /// Ends the process: what it has not made durable is lost, or not.
    func crash() {
        process.die()
        world.bucket.lose(by: process) { world.scheduler.numbers.chance(500) }
        lane.proceed()
    }
}
