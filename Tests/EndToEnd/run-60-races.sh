#!/usr/bin/env bash
# Requests at the same instant, and answers that get lost (Tests/Faults); with CAIRN_LONG=1 more often and on MySQL too.
LONG=${CAIRN_LONG:-}
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
export E2E_FOLDER
HERE=$(cd "$(dirname "$0")" && pwd)

faults() { PYTHONPATH="$HERE" python3 "$HERE/../Faults/$1.py" "${@:2}"; }

for engine in SQLITE MARIADB ${LONG:+MYSQL}; do
    if [[ $engine != SQLITE ]]; then require_engine "$engine" || continue; fi
    if [[ -n $LONG ]]; then
        faults races "${engine,,}" 100
        faults lost_answers "${engine,,}" 250
    else
        faults races "${engine,,}" 5
        faults lost_answers "${engine,,}" 12
    fi
done
