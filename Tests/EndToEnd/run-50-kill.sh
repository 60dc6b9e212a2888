#!/usr/bin/env bash
# SIGKILL of the server, and of its database, under 16 parallel updates; Tests/Faults/kill.py says what is compared.
# CAIRN_LONG=1 kills more often and MySQL as well.
LONG=${CAIRN_LONG:-}
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
export E2E_FOLDER
HERE=$(cd "$(dirname "$0")" && pwd)

kills() { PYTHONPATH="$HERE" python3 "$HERE/../Faults/kill.py" "$@"; }

if [[ -n $LONG ]]; then
    kills sqlite 1000
else
    kills sqlite 60
fi
for engine in MARIADB ${LONG:+MYSQL}; do
    require_engine "$engine" || continue
    if [[ -n $LONG ]]; then
        kills "${engine,,}" 200
    else
        kills "${engine,,}" 30
    fi
done
