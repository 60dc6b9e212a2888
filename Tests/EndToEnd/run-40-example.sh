#!/usr/bin/env bash
# The first example of the documentation does what it says, twice on one server, and is told why it may not.
source "$(dirname "$0")/../../Scripts/e2e.sh"
EXAMPLE="$(cd "$(dirname "$0")/../.." && pwd)/examples/first_update.py"

start_cairn example
export PULUMI_BACKEND_URL=$CAIRN_URL PULUMI_ACCESS_TOKEN=$E2E_TOKEN
python3 "$EXAMPLE"
python3 "$EXAMPLE" --organization main --stack kept --keep
call GET /api/stacks/main/first-update/kept/export | grep -q '"urn:pulumi:kept::first-update::pulumi:pulumi:Stack::'
if python3 "$EXAMPLE" --organization main --stack kept 2>"$E2E_FOLDER/refusal"; then
    echo "a stack that exists was made again" && exit 1
fi
grep -q ': 409 .*already exists' "$E2E_FOLDER/refusal"
stop_cairn
