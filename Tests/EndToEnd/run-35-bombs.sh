#!/usr/bin/env bash
# Bodies that inflate to a thousand times their size; bombs.py has the tests.
source "$(dirname "$0")/../../Scripts/e2e.sh"
export E2E_FOLDER
python3 "$(dirname "$0")/bombs.py"
