# shellcheck shell=bash
# ./dev bench: builds a release and measures it, or `--binary PATH`. Benchmarks/README.md says what and how.

cmd_bench() {
    if [[ ${1:-} == page ]]; then
        python3 Benchmarks/bench.py "$@"
        return
    fi
    local arguments=() binary='' engine=sqlite what=all
    while (($# > 0)); do
        case $1 in
            -j) set_jobs "${2:-}" && shift ;;
            --binary) binary=${2:-} && shift ;;
            --engine) engine=${2:-} && arguments+=("$1" "$engine") && shift ;;
            http | startup | state | objects | load) what=$1 && arguments+=("$1") ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    require build bench
    if [[ -z $binary ]]; then
        run_logged build-release build_release
        binary=$RELEASE_BINARY
    fi
    if [[ $what == all || $what == http ]]; then
        run_logged build-sink build_sink
        arguments+=(--sink "$SINK_BINARY")
    fi
    if [[ $what == all || $what == state ]]; then
        run_logged build-fold build_fold
        arguments+=(--fold "$FOLD_BINARY")
    fi
    if [[ $what == all || $what == objects ]]; then
        run_logged build-objects build_objects
        arguments+=(--objects "$OBJECTS_BINARY")
    fi
    if [[ $engine != sqlite || $what == all || $what == objects ]]; then
        stop_services_afterwards
        start_services
        use_services
    fi
    python3 Benchmarks/bench.py "${arguments[@]}" --binary "$binary"
}
