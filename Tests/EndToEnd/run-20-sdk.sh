#!/usr/bin/env bash
# The official Python SDK through the contract tool: the operations of the slice are all right, every route of the
# contract is known, and no fewer operations conform than before.
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
require_shared
FLOOR=119

start_cairn sdk CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev
python=$(python_with pulumi_cloud_sdk)
"$python" "$SHARED/contract/conformance.py" --url "$CAIRN_URL" --token "$E2E_TOKEN" --org acme \
    --json "$E2E_FOLDER/report.json" >"$E2E_FOLDER/report.txt" 2>&1 || { tail -n 30 "$E2E_FOLDER/report.txt"; exit 1; }
python3 - "$E2E_FOLDER/report.json" "$FLOOR" <<'PYTHON'
import json, sys
report, floor = json.load(open(sys.argv[1])), int(sys.argv[2])
slice_of_1 = """capabilities version getCurrentUser getDefaultOrganization updateDefaultOrganization createPersonalToken
    listPersonalTokens deletePersonalToken listUserStacks createStack projectExists getStack updateStackTags addStackTag
    updateStackTag deleteStackTag renameStack deleteStack""".split()
outcome = {o["id"]: o for o in report["operations"]}
problems = ["%s is %s (%s)" % (id, outcome[id]["outcome"], outcome[id]["detail"])
            for id in slice_of_1 if outcome[id]["outcome"] != "ok"]
problems += ["%s is answered as if there were no such route (%s)" % (o["id"], o["status"])
             for o in report["operations"] if o["outcome"] == "not-implemented" and o["status"] != 501]
conforming = report["totals"]["conforming"]
if conforming < floor:
    problems.append("only %d operations conform, %d did before" % (conforming, floor))
print("%d of %d operations conform; %d answer 501"
      % (conforming, report["totals"]["operations"], report["totals"]["not-implemented"]))
print("\n".join(problems))
sys.exit(1 if problems else 0)
PYTHON
stop_cairn
