# shellcheck shell=bash
# For end-to-end tests and the smoke test: `source "$(dirname "$0")/../../Scripts/e2e.sh"`.
#
# CAIRN_BIN names the executable. A server sees no other CAIRN_… variable than those it is started with. What is started here ends with the script, and its folder goes when all went well.
set -euo pipefail

: "${CAIRN_BIN:?names the executable under test}"
E2E_FOLDER=$(mktemp -d)
E2E_PIDS=()
E2E_TOKEN=pul-e2e0000000000000000000000000000000000000

e2e_cleanup() {
    local status=$? pid
    for pid in "${E2E_PIDS[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    if ((status == 0)); then
        rm -rf "$E2E_FOLDER"
    else
        echo "kept: $E2E_FOLDER"
    fi
}
trap e2e_cleanup EXIT

# A TCP port of this machine that nobody uses now, and that the system gives to no client.
free_port() {
    PYTHONPATH="$(dirname "${BASH_SOURCE[0]}")/../Tests/EndToEnd" python3 -c 'import process; print(process.free_port())'
}

# start_cairn NAME [VARIABLE=VALUE…]: starts a server with a data folder of its own and waits until it is ready.
#
# Sets CAIRN_URL, CAIRN_PID, CAIRN_LOG. A second call with the same NAME starts on the same data.
start_cairn() {
    local name=$1 port deadline=$((SECONDS + 120)) variable clean=()
    shift
    for variable in "${!CAIRN_@}"; do clean+=(--unset="$variable"); done
    port=$(free_port)
    CAIRN_URL="http://127.0.0.1:$port"
    CAIRN_LOG="$E2E_FOLDER/$name.log"
    env "${clean[@]}" CAIRN_DATA="$E2E_FOLDER/$name" PORT="$port" CAIRN_ADMIN_TOKEN="$E2E_TOKEN" CAIRN_ADMIN_LOGIN=admin \
        CAIRN_ORGANIZATION=main "$@" "$CAIRN_BIN" serve >>"$CAIRN_LOG" 2>&1 </dev/null &
    CAIRN_PID=$!
    E2E_PIDS+=("$CAIRN_PID")
    until curl --silent --fail --max-time 2 --output /dev/null "$CAIRN_URL/readyz"; do
        if ! kill -0 "$CAIRN_PID" 2>/dev/null || ((SECONDS >= deadline)); then
            echo "cairn ($name) did not become ready; its log:"
            tail -n 40 "$CAIRN_LOG"
            return 1
        fi
        sleep 0.05
    done
}

# stop_cairn [PID]: asks the server to end and checks that it does so in time and with status 0.
stop_cairn() {
    local pid=${1:-$CAIRN_PID} status=0 deadline=$((SECONDS + 45))
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            echo "cairn did not end within 45 s of SIGTERM" && return 1
        fi
        sleep 0.05
    done
    wait "$pid" || status=$?
    if ((status != 0)); then echo "cairn ended with status $status" && return 1; fi
}

# call METHOD PATH [JSON]: one authenticated request; prints the body, fails unless the status is 2xx.
call() {
    local body=()
    if [[ -n ${3:-} ]]; then body=(--header 'Content-Type: application/json' --data "$3"); fi
    curl --silent --show-error --fail-with-body --request "$1" --header "Authorization: token $E2E_TOKEN" \
        --header 'Accept: application/vnd.pulumi+9' "${body[@]}" "$CAIRN_URL$2"
}

# python_with PACKAGE…: prints an interpreter that has these PyPI packages. It is made once, below .venv of the clone.
python_with() {
    local venv wanted="$*"
    venv="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.venv/$(cksum <<<"$wanted" | cut -d' ' -f1)"
    if [[ ! -x $venv/bin/python || $(cat "$venv/cairn-packages" 2>/dev/null) != "$wanted" ]]; then
        python3 -m venv "$venv" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
        printf '%s' "$wanted" >"$venv/cairn-packages"
    fi
    echo "$venv/bin/python"
}
