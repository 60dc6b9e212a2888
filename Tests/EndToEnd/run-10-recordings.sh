#!/usr/bin/env bash
# What real clients sent, against each engine: every recording on SQLite and MySQL; on MariaDB one of each kind of save
# and generation of client, or with CAIRN_LONG=1 every recording.
LONG=${CAIRN_LONG:-}
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
require_shared

replay() {
    python3 "$HERE/recordings.py" --url "$CAIRN_URL" --token "$E2E_TOKEN" --replay "$SHARED/recordings/replay.py" "$@"
}

every=("$SHARED"/recordings/*.jsonl "$SHARED"/recordings/*.jsonl.gz)
some=()
for name in account new stacks up up-begin up-journal2 up-delta up-plain-cli3_100_0 up-verbatim secrets cancel kill \
    refresh journal-413 edits retries rewrite; do
    for file in "$SHARED/recordings/$name.jsonl" "$SHARED/recordings/$name.jsonl.gz"; do
        if [[ -f $file ]]; then some+=("$file"); fi
    done
done

start_cairn recordings-sqlite CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev
echo "SQLite:"
replay "${every[@]}"
stop_cairn

for engine in MYSQL MARIADB; do
    require_engine "$engine" || continue
    variable=CAIRN_TEST_$engine
    start_cairn_on_mysql "recordings-${engine,,}" "${!variable}" CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev
    echo "$engine:"
    if [[ $engine == MYSQL || -n $LONG ]]; then replay "${every[@]}"; else replay "${some[@]}"; fi
    stop_cairn
done
