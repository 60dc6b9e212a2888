"""H: reads of a database with many stacks: lists, filters, history, events page by page."""

import harness
from generator import compare, plan, shelf, writer

LETTER, TITLE = "H", "reads"


def scripts_of(stacks, updates_path="{S}/updates?pageSize=100"):
    """Name and script of each read; a list is read to its last page."""
    organization = stacks[0].organization

    def listing(label, query):
        script = plan.Script(label).stage()
        return script.send(label, "GET", f"/api/user/stacks{query}{{c}}", loops=True, captures="continuationToken>c")

    scripts = {
        # The floor is for pages of a hundred; the others have as many as the server gives.
        "list": listing("list", "?maxResults=100"),
        "list by organization": listing("list-organization", f"?organization={organization}"),
        "list by project": listing("list-project", f"?organization={organization}&project={stacks[0].project}"),
        "list by tag": listing("list-tag", f"?organization={organization}&tagName=team&tagValue=team3"),
        "stack": plan.Script("stack").stage().send("stack", "GET", "{S}"),
        "history": plan.Script("history").stage().send("history", "GET", updates_path),
    }
    return scripts


def queues_of(script, stacks, level):
    """Each queue reads other stacks, in an order that is the same in every run."""
    step = 7919
    return [plan.Queue([(script, stacks[(number * 31 + turn * step) % len(stacks)].path, []) for turn in range(200)])
            for number in range(level)]


def listed(context, query=""):
    """The paths of all stacks that a list gives."""
    found, token = [], ""
    while token is not None:
        more = ("&" if query else "?") + "continuationToken=" + token if token else ""
        page = context.client.ask("GET", f"/api/user/stacks{query}{more}")
        found += [f"/api/stacks/{one['orgName']}/{one['projectName']}/{one['stackName']}" for one in page["stacks"] or []]
        token = page.get("continuationToken")
    return found


def check(context, filled):
    """Every stack is listed once, each filter gives its part, and every state is right."""
    stacks = filled.stacks
    for query, wanted in (
        ("", stacks),
        (f"?organization={stacks[0].organization}&project={stacks[0].project}",
         [one for one in stacks if one.project == stacks[0].project]),
        ("?tagName=team&tagValue=team3", stacks[3::shelf.TEAMS]),
    ):
        found = [path for path in listed(context, query) if "/shelf" in path]
        if sorted(found) != sorted(stack.path for stack in wanted):
            raise harness.NoFigure(f"WRONG RESULT: list{query} gives {len(found)} stacks instead of {len(wanted)}")
    for number, stack in enumerate(stacks):
        context.compare(stack, filled.state_of(number))
    updates = context.client.ask("GET", stacks[-1].path + "/updates?pageSize=100")["updates"]
    if [one["version"] for one in updates] != list(range(filled.updates, 0, -1)):
        raise harness.NoFigure(f"WRONG RESULT: the history of {stacks[-1].name} is not its {filled.updates} updates")


def with_events(context, bodies, count):
    """A stack whose one update has so many events, and the script that reads them all."""
    stack = context.new_stack("events")
    context.create([stack])
    slots = [bodies.add(writer.program(), False), bodies.add(writer.start(1), False),
             bodies.add('{"status":"succeeded"}', False)]
    write = plan.Script("write-events").stage()
    writer.begin(write, "update", 0, 1)
    for first in range(0, count, writer.EVENTS):
        slots.append(bodies.add(stack.events(first, writer.EVENTS)))
        write.send("write", "POST", "{S}/update/{u}/events/batch", len(slots) - 1, "l")
    write.send("complete", "POST", "{S}/update/{u}/complete", 2, "l")
    context.run(bodies, [plan.Queue([(write, stack.path, slots)])], [900], limit=1)
    read = plan.Script("events").stage().send("stack", "GET", "{S}", captures="activeUpdate>u")
    read.send("events", "GET", "{S}/update/{u}/events{c}", loops=True, captures="continuationToken>c")
    return stack, read


def check_events(context, stack, count):
    update, events, token = context.client.ask("GET", stack.path)["activeUpdate"], [], ""
    while token is not None:
        query = f"?continuationToken={token}" if token else ""
        page = context.client.ask("GET", f"{stack.path}/update/{update}/events{query}")
        events, token = events + page["events"], page.get("continuationToken")
    wrong = compare.event_problems(events, stack, count)
    if wrong:
        raise harness.NoFigure(f"WRONG RESULT, {stack.name}: {wrong[0]}")


def run(context):
    with context.server():
        bodies = context.bodies("h")
        filled = shelf.Shelf(context, bodies, context.pick(10_000, 60), context.pick(20, 3))
        for name, script in scripts_of(filled.stacks).items():
            if context.short and name in ("list by organization", "list by tag", "history"):
                continue
            for level in context.pick((1, 16, 64), context.levels):
                queues = queues_of(script, filled.stacks, level)
                context.measure(f"H {name}", level, context.bodies("none"), queues, lambda: None)
        check(context, filled)
        count = context.pick(100_000, 300)
        stack, script = with_events(context, context.bodies("h-events"), count)
        for level in context.pick((1, 4), context.levels):
            queues = [plan.Queue([(script, stack.path, [])]) for _ in range(level)]
            context.measure("H events", level, context.bodies("none"), queues, lambda: check_events(context, stack, count))
    # Resource search has no row: no CLI asks for it, and a server may not offer it.
