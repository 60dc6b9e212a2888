# shellcheck shell=bash
# ./dev faults: breaks one thing after the other below a server under load; Tests/Faults says what and compares.

FAULT_RESULTS="$CAIRN_ROOT/.build-logs/faults.txt"

# --release is the form of a release and takes its executable; CAIRN_BIN names another one, which is not built here.
cmd_faults() {
    local words=() step=build_debug binary=$DEBUG_BINARY
    if [[ ${1:-} == --list ]]; then
        exec python3 Tests/Faults/faults.py --list
    fi
    require build test
    while (($# > 0)); do
        case $1 in
            -j) words+=(--jobs "${2:?-j takes a number}") && shift ;;
            --release) words+=("$1") step=build_release binary=$RELEASE_BINARY ;;
            *) words+=("$1") ;;
        esac
        shift
    done
    if [[ -z ${CAIRN_BIN:-} ]]; then
        run_logged "${step//_/-}" "$step"
        export CAIRN_BIN=$binary
    fi
    stop_services_afterwards
    start_services
    use_services
    mkdir -p "$LOG_FOLDER"
    python3 Tests/Faults/faults.py --results "$FAULT_RESULTS" "${words[@]}"
}
