# shellcheck shell=bash
# What ./dev prints: messages, long steps whose output goes to a log, stages with a budget.

LOG_FOLDER="$CAIRN_ROOT/.build-logs"

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
    BOLD='' RED='' GREEN='' YELLOW='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$YELLOW" "$*" "$PLAIN"; }

# Ends the command with one clear line.
fail() {
    printf '%s./dev: %s%s\n' "$RED" "$*" "$PLAIN" >&2
    exit 1
}

fail_usage() {
    printf '%s./dev: %s%s\n' "$RED" "$*" "$PLAIN" >&2
    exit 64
}

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

without_colours() { sed 's/\x1b\[[0-9;]*m//g'; }

# Says once a minute that a step is still running, until its standard input closes.
heartbeat() {
    local minutes=0 status
    while :; do
        status=0
        read -rt 60 _ || status=$?
        ((status > 128)) || return 0
        minutes=$((minutes + 1))
        printf '  … %s: %d min\n' "$1" "$minutes"
    done
}

# run_logged NAME COMMAND…: runs it with all output in a log file; when it fails, shows the file's end and ends.
#
# Call it as a statement, never left of `||` or in a condition: bash ignores `set -e` inside those.
run_logged() {
    local name=$1 log="$LOG_FOLDER/$1.log" beat pulse status
    shift
    mkdir -p "$LOG_FOLDER"
    exec {beat}> >(heartbeat "$name")
    pulse=$!
    set +e
    (
        exec {beat}>&-
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    status=$?
    set -e
    exec {beat}>&-
    wait "$pulse" || true
    ((status != 0)) || return 0
    {
        printf '%s--- the last lines of %s%s\n' "$BOLD" "${log#"$CAIRN_ROOT"/}" "$PLAIN"
        tail -n 40 "$log"
        printf '%s---%s\n' "$BOLD" "$PLAIN"
    } >&2
    fail "$name failed (exit status $status)"
}

# side_by_side COUNT FUNCTION ARGUMENT…: calls it with each argument, so many at a time; 1 when one of them failed.
#
# All of them are waited for: what a failed one leaves running would disturb whatever comes next.
side_by_side() {
    local count=$1 function=$2 argument running=0 result=0
    shift 2
    for argument in "$@"; do
        if ((running >= count)); then
            wait -n || result=1
            running=$((running - 1))
        fi
        "$function" "$argument" &
        running=$((running + 1))
    done
    while ((running > 0)); do
        wait -n || result=1
        running=$((running - 1))
    done
    return "$result"
}

# together FUNCTION…: calls them at the same time, and waits for all.
together() { side_by_side "$#" call "$@"; }

call() { "$1"; }

STAGE_SUMMARY=()

# stage TITLE BUDGET FUNCTION [ARGUMENT…]: runs one stage and keeps its time beside its budget (seconds).
#
# The function runs in a subshell of its own, so that `set -e` holds inside it; what it leaves behind are files.
stage() {
    local title=$1 budget=$2 from=$EPOCHREALTIME status=0 taken line
    shift 2
    printf '%s== %s%s\n' "$BOLD" "$title" "$PLAIN"
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    taken=$(seconds_since "$from")
    ((status == 0)) || fail "stage '$title' failed after $taken s (exit status $status)"
    line=$(printf '%-46s %7.1f s  of %4d s' "$title" "$taken" "$budget")
    if awk -v taken="$taken" -v budget="$budget" 'BEGIN { exit !(taken > budget) }'; then
        STAGE_SUMMARY+=("$YELLOW$line  over budget$PLAIN")
    else
        STAGE_SUMMARY+=("$GREEN$line$PLAIN")
    fi
}

print_stage_summary() {
    printf '%s== Time of each stage beside its budget%s\n' "$BOLD" "$PLAIN"
    printf '%s\n' "${STAGE_SUMMARY[@]}"
}
