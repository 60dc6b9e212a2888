"""The connection to the database is cut after COMMIT was sent and before its answer came (R-24).

Whether it happened, nobody knows; it must have had its effect exactly once when everything is over. A COMMIT that never
arrives is mixed in, so that taking all of them for done would be found out as well.
"""
from process import at_most
from proxies import CommitProxy

STACKS = 6


def run(run, engine):
    database = run.database(engine)
    proxy = CommitProxy(database.port)
    settings = database.settings("cairn_commit")
    # A proxy must read what it hands on.
    for name in ("DATABASE_CA_CERTIFICATE", "DATABASE_MIN_TLS_VERSION"):
        del settings[name]
    server = run.server(**{**settings, "PULUMI_DATABASE_ENDPOINT": "127.0.0.1:%d" % proxy.port}).start()
    fleet = run.fleet(run.client(server.port), STACKS, contests=True).start()
    for number in run.rounds():
        run.await_progress()
        run.pause(0, 0.1)
        how = proxy.HOW[number % len(proxy.HOW)]
        run.fault(how, number=number)
        proxy.arm(how)
        if not proxy.cut.wait(at_most(15)):
            run.violation("control", "no transaction was committed in time")
        run.ledger.count(how)
    fleet.finish(run)
    run.stop(server)
