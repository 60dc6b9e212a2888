"""Fills a server with many stacks that have a history: what reads and start-up are measured on."""

from generator import plan, reference, writer
from generator.model import Stack

PROJECTS, TEAMS, WORKERS = 10, 7, 16


class Shelf:
    """Stacks, each with the state the reference says it must have."""

    def __init__(self, context, bodies, count, updates):
        self.count, self.updates = count, updates
        self.stacks = [Stack(context.adapter.organization, f"shelf{number % PROJECTS}", f"s{number:06d}-{context.seed}",
                             context.seed, "T", 200) for number in range(count)]
        create, update = plan.Script("shelf-create").stage(), plan.Script("shelf-update").stage()
        create.send("create-stack", "POST", "{S}", 0)
        writer.begin(update, "update", 0, 1)
        update.send("journal", "PATCH", "{S}/update/{u}/journalentries", 3, "l")
        update.send("complete", "POST", "{S}/update/{u}/complete", 2, "l")
        queues = [plan.Queue([]) for _ in range(min(WORKERS, count))]
        for number, stack in enumerate(self.stacks):
            jobs = queues[number % len(queues)].jobs
            team = f"team{number % TEAMS}"
            common = [bodies.add(writer.program(), False), bodies.add(writer.start(1, team=team), False),
                      bodies.add('{"status":"succeeded"}', False)]
            made = f'{{"stackName":"{stack.name}","tags":{{"team":"{team}"}}}}'
            jobs.append((create, stack.path.rpartition("/")[0], [bodies.add(made, False)]))
            slots = [bodies.add(journal_of(stack, turn).batches()[0]) for turn in range(min(updates, 3))]
            jobs += [(update, stack.path, [*common, slots[turn_of(one)]]) for one in range(updates)]
        most = max(len(queue.jobs) for queue in queues)
        idle = plan.Script("shelf-idle").stage().send("idle", "GET", "/api/user")
        for queue in queues:  # All do equally many jobs, and each of them once.
            queue.jobs += [(idle, "-", [])] * (most - len(queue.jobs))
        context.run(bodies, queues, [3600], limit=most)

    def state_of(self, number):
        stack = self.stacks[number]
        if not self.updates:
            return reference.State()
        state = reference.replay(reference.State(), journal_of(stack, 0).entries)
        if self.updates > 1:
            state = reference.replay(state, journal_of(stack, turn_of(self.updates - 1)).entries)
        return state


def turn_of(update):
    """Which of the three journals the update with this number, from 0, has."""
    return 0 if update == 0 else 2 - update % 2


def journal_of(stack, turn):
    """The first update makes three resources, the later ones change the last of them, in turn in two ways."""
    journal = writer.Journal(stack)
    for number in range(3):
        if turn == 0:
            journal.create(number)
        elif number < 2:
            journal.same(number, number)
        else:
            journal.update(number, number, turn)
    return journal
