#!/usr/bin/env bash
# The process from outside; start.py has the tests.
source "$(dirname "$0")/../../Scripts/e2e.sh"
export E2E_FOLDER
python3 "$(dirname "$0")/start.py"
