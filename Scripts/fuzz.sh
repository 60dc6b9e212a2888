# shellcheck shell=bash
# ./dev fuzz [TARGET…] [--seconds N]: hostile bytes for parsers, guided by what they reach. Fuzzing/README.md says more.

FUZZ_FOLDER=.build-fuzz
# Each target has a folder of inputs to begin with.
FUZZ_TARGETS=(Fuzzing/corpus/*/)
FUZZ_TARGETS=("${FUZZ_TARGETS[@]%/}")
FUZZ_TARGETS=("${FUZZ_TARGETS[@]##*/}")

cmd_fuzz() {
    local seconds=60 targets=() target
    while (($# > 0)); do
        case $1 in
            -j) set_jobs "${2:-}" && shift ;;
            --seconds) seconds=${2:-} && shift ;;
            -*) fail_usage "fuzz takes targets, --seconds N and -j N, not '$1'" ;;
            *) targets+=("$1") ;;
        esac
        shift
    done
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || fail_usage "--seconds takes a number"
    for target in "${targets[@]}"; do
        [[ -d Fuzzing/corpus/$target ]] || fail_usage "there is no fuzz target '$target': ${FUZZ_TARGETS[*]}"
    done
    require build
    fuzz_targets "$seconds" "${targets[@]}"
}

# fuzz_targets SECONDS [TARGET…]: builds and runs them, two at once for each core.
fuzz_targets() {
    FUZZ_SECONDS=$1
    shift
    (($# > 0)) || set -- "${FUZZ_TARGETS[@]}"
    build_fuzz_targets
    side_by_side "$((2 * $(nproc)))" fuzz_one "$@"
}

build_fuzz_targets() { run_logged build-fuzz build_fuzz; }

build_fuzz() {
    CAIRN_FUZZING=1 nice -n 10 swift build "${SWIFT_FLAGS[@]}" "${ONCE_FLAGS[@]}" --scratch-path "$FUZZ_FOLDER" \
        --product Fuzz --sanitize=fuzzer
}

# One target: what it finds is left beside its log, as the input to repeat it with.
fuzz_one() {
    local target=$1 found=$FUZZ_FOLDER/found/$1 corpus=$FUZZ_FOLDER/corpus/$1
    mkdir -p "$found" "$corpus" .build-logs
    if CAIRN_FUZZ_TARGET=$target "$FUZZ_FOLDER/debug/Fuzz" "$corpus" "Fuzzing/corpus/$target" \
        -max_total_time="$FUZZ_SECONDS" -max_len=4096 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$found/" >".build-logs/fuzz-$target.txt" 2>&1; then
        printf '  fuzz %-14s %s\n' "$target" \
            "$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)/\1 inputs/p' ".build-logs/fuzz-$target.txt")"
    else
        tail -30 ".build-logs/fuzz-$target.txt" >&2
        printf '  fuzz %s FOUND something: the input is in %s, all output in %s\n' "$target" "$found" \
            ".build-logs/fuzz-$target.txt" >&2
        return 1
    fi
}
