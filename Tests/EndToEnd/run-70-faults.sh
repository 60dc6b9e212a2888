#!/usr/bin/env bash
# The short form of every fault loop (Tests/Faults); CAIRN_LONG=1 runs the long one. `./dev faults` is the same by hand.
LONG=${CAIRN_LONG:-}
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
HERE=$(cd "$(dirname "$0")" && pwd)

for engine in MARIADB MYSQL; do require_engine "$engine" || true; done
python3 "$HERE/../Faults/faults.py" ${LONG:+--long}
