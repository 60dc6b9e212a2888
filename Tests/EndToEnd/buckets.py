"""State and events that are too large for a row: `store` sends some of them, `check` compares what comes back."""

import argparse
import hashlib
import json
import urllib.request

SIZES = [1, 3000, 40_000]
# With them a batch is larger than a row.
EVENTS = 600

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("action", choices=["store", "check"])
parser.add_argument("--url", required=True)
parser.add_argument("--token", required=True)
options = parser.parse_args()


def call(method, path, body=None, authorization=None):
    headers = {"Authorization": authorization or "token " + options.token, "Accept": "application/vnd.pulumi+9",
               "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(options.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read() or b"null")


def deployment(count):
    """Resources whose outputs do not compress, so that the bytes go where they are meant to."""
    resources = []
    for number in range(count):
        noise = hashlib.sha512(b"%d of %d" % (number, count)).hexdigest()
        urn = "urn:pulumi:large::buckets::cairn:index:Thing::thing-%d" % number
        resources.append({"urn": urn, "custom": True, "id": str(number), "type": "cairn:index:Thing",
                          "inputs": {"noise": noise}, "outputs": {"noise": noise}})
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
    return {"version": 3, "deployment": {"manifest": manifest, "resources": resources}}


def events(count):
    return [{"sequence": number, "timestamp": 1_700_000_000, "stdoutEvent": {
        "message": hashlib.sha512(b"%d" % number).hexdigest(), "color": "never"}} for number in range(count)]


def send_events(stack, count):
    program = {"name": "buckets", "runtime": "yaml", "main": "", "description": "", "options": {}}
    begun = call("POST", stack + "/begin-update", {"updateKind": "update", "program": program})
    update = stack + "/update/" + begun["updateID"]
    lease = "update-token " + begun["token"]
    call("POST", update + "/events/batch", {"events": events(count)}, lease)
    call("POST", update + "/complete", {"status": "succeeded"}, lease)


def check_events(stack, count):
    update = call("GET", stack + "/updates?output-type=service")["updates"][0]
    path, found, token = stack + "/update/" + (update.get("updateID") or update["info"]["updateID"]) + "/events", [], ""
    while token is not None:
        page = call("GET", path + token)
        found += page.get("events") or []
        following = page.get("continuationToken")
        token = "?continuationToken=" + following if following else None
    if [event["stdoutEvent"] for event in found] != [event["stdoutEvent"] for event in events(count)]:
        raise SystemExit("%d of %d events came back, or not as they were sent" % (len(found), count))


total = 0
for count in SIZES:
    stack = "/api/stacks/acme/buckets/large-%d" % count
    if options.action == "store":
        call("POST", "/api/stacks/acme/buckets", {"stackName": "large-%d" % count})
        call("POST", stack + "/import", deployment(count))
        send_events(stack, EVENTS)
    exported = call("GET", stack + "/export")
    if exported["deployment"] != deployment(count)["deployment"]:
        raise SystemExit("the export of %d resources is not what was imported" % count)
    check_events(stack, EVENTS)
    total += len(json.dumps(exported))
print("  %s: %d stacks, %.1f MB" % (options.action, len(SIZES), total / 1e6))
