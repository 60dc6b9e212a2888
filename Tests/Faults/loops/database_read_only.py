"""The database turns read-only under load and back, as a primary that was replaced does (R-23).

Half of the times all connections are cut as well. A refused write is "not now", never the client's mistake.
"""
STACKS = 8


def run(run, engine):
    database = run.database(engine)
    server = run.server(**database.settings("cairn_flip")).start()
    fleet = run.fleet(run.client(server.port), STACKS, contests=True).start()
    for number in run.rounds():
        run.await_progress()
        run.pause(0.05, 0.4)
        cuts = run.choice.random() < 0.5
        run.fault("read-only", number=number, cuts=cuts)
        refused = fleet.client.statuses[503]
        database.execute("SET GLOBAL read_only = 1")
        if cuts:
            cut_connections(database)
        run.pause(0.1, 0.8)
        database.execute("SET GLOBAL read_only = 0")
        if cuts:
            cut_connections(database)
        run.ledger.count("flips that were noticed", fleet.client.statuses[503] > refused)
    fleet.finish(run)
    if not run.ledger.counts["flips that were noticed"]:
        run.violation("control", "no write met a read-only database: this run shows nothing")
    run.stop(server)


def cut_connections(database):
    # MySQL looks at the texts of all statements, and stumbles over one with bytes in it.
    for line in database.execute("SHOW PROCESSLIST"):
        connection, user = line.split("\t")[:2] if line.count("\t") > 1 else ("", "")
        if user != "cairn":
            continue
        try:
            database.execute("KILL " + connection)
        except AssertionError:
            pass  # it has gone by itself
