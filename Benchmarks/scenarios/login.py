"""A: the requests of `pulumi login`."""

from generator import plan, writer

LETTER, TITLE = "A", "login"


def run(context):
    script = plan.Script("login")
    writer.login(script.stage()).send("version", "GET", "/api/cli/version")
    with context.server():
        bodies = context.bodies("a")
        for level in context.levels:
            queues = [plan.Queue([(script, "-", [])]) for _ in range(level)]
            context.measure("A login", level, bodies, queues, lambda: check(context))


def check(context):
    """There is no state; the answers must still be those of this server's user."""
    if not context.client.ask("GET", "/api/user").get("githubLogin"):
        raise plan.harness.NoFigure("the user has no name")
    names = {one["capability"] for one in context.client.ask("GET", "/api/capabilities")["capabilities"]}
    if not names:
        raise plan.harness.NoFigure("the server has no capabilities")
