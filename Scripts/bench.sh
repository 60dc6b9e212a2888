# shellcheck shell=bash
# ./dev bench: builds a release and measures it. Benchmarks/README.md says what and how.

cmd_bench() {
    local arguments=()
    while (($# > 0)); do
        case $1 in
            -j) set_jobs "${2:-}" && shift ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    require build bench
    run_logged build-release build_release
    python3 Benchmarks/bench.py "${arguments[@]}" --binary "$RELEASE_BINARY"
}
