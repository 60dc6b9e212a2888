"""State that is too large for a row: `store` imports some of it, `check` compares every export with what was imported."""

import argparse
import hashlib
import json
import urllib.request

SIZES = [1, 3000, 40_000]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("action", choices=["store", "check"])
parser.add_argument("--url", required=True)
parser.add_argument("--token", required=True)
options = parser.parse_args()


def call(method, path, body=None):
    headers = {"Authorization": "token " + options.token, "Accept": "application/vnd.pulumi+9",
               "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(options.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


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


total = 0
for count in SIZES:
    stack = "/api/stacks/acme/buckets/large-%d" % count
    if options.action == "store":
        call("POST", "/api/stacks/acme/buckets", {"stackName": "large-%d" % count})
        call("POST", stack + "/import", deployment(count))
    exported = call("GET", stack + "/export")
    if exported["deployment"] != deployment(count)["deployment"]:
        raise SystemExit("the export of %d resources is not what was imported" % count)
    total += len(json.dumps(exported))
print("  %s: %d stacks, %.1f MB" % (options.action, len(SIZES), total / 1e6))
