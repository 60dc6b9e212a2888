# shellcheck shell=bash
# ./dev check: what people run before they hand in. Everything of ./dev test, then what only a release build shows.

LIBRARIES=Scripts/needed-libraries.txt
STRIPPED_LIMIT_MB=30

cmd_check() {
    local long=''
    while (($# > 0)); do
        case $1 in
            --long) long=yes ;;
            -j) set_jobs "${2:-}" && shift ;;
            *) fail_usage "check takes --long and -j N, not '$1'" ;;
        esac
        shift
    done
    require build test bench
    test_everything "$long"
    stage "6a release build" 480 run_logged build-release build_release
    stage "6b smoke test: start, ready, stop" 20 smoke_test
    stage "6c size and libraries of the binary" 10 size_and_libraries
    stage "6d clean debug build, then one edit" 300 time_builds
    stage "7 documentation: links" 10 Scripts/check-links.py
    if [[ -n $long ]]; then stage "8 benchmarks" 600 cmd_bench; fi
    print_stage_summary
    closing_line
}

smoke_test() {
    CAIRN_BIN=$RELEASE_BINARY run_logged smoke Scripts/smoke.sh
    python3 Benchmarks/bench.py startup --binary "$RELEASE_BINARY" --no-results
}

size_and_libraries() {
    local stripped size
    stripped=$(mktemp)
    strip --strip-all -o "$stripped" "$RELEASE_BINARY"
    size=$(($(stat -c %s "$stripped") * 10 / 1048576))
    rm -f "$stripped"
    say "  cairn, stripped: ${size%?}.${size: -1} MB of at most $STRIPPED_LIMIT_MB MB"
    ((size <= STRIPPED_LIMIT_MB * 10)) || fail "the binary has grown beyond $STRIPPED_LIMIT_MB MB"
    compare_libraries
    without_failpoints
}

# What lets tests break a server is in builds for tests only. Looked for in both, so that finding nothing means something.
without_failpoints() {
    grep -qa CAIRN_FAILPOINT "$DEBUG_BINARY" || fail "the debug build has no failpoints: Package.swift does not define them"
    if grep -qa CAIRN_FAILPOINT "$RELEASE_BINARY"; then fail "the release build has failpoints"; fi
    if CAIRN_FAILPOINT=sqlite.commit:kill "$RELEASE_BINARY" check >/dev/null 2>&1; then
        fail "the release build takes CAIRN_FAILPOINT for a setting"
    fi
    say "  no failpoints in the release"
}

needed_libraries() { LC_ALL=C readelf --dynamic "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]$/\1/p' | LC_ALL=C sort -u; }

# The committed list is that of Debian 12; other suites number their libraries otherwise and are only shown.
compare_libraries() {
    local difference
    difference=$(diff <(grep -v '^#' "$LIBRARIES") <(needed_libraries "$RELEASE_BINARY")) || true
    if [[ -z $difference ]]; then
        say "  needs the $(grep -vc '^#' "$LIBRARIES") libraries of $LIBRARIES"
        return 0
    fi
    say "$difference"
    if [[ $(boost_package) == libboost1.81-dev ]]; then
        fail "the libraries that cairn needs have changed ('>' is new); when that is meant, edit $LIBRARIES"
    fi
    note "  not compared: $LIBRARIES is the list of Debian 12"
}

# Builds a copy from nothing, then changes one function body in it and runs one suite again. The figures are those of
# this machine at this moment: they are printed beside their budgets and fail nothing.
time_builds() {
    local copy="$CAIRN_ROOT/.build-timing" from file=Sources/Stacks/StackService.swift
    local module=StacksTests suite=CreateStackTests
    rm -rf "$copy"
    mkdir -p "$copy"
    cp -r Package.swift Sources Tests "$copy"
    from=$EPOCHREALTIME
    run_logged clean-build build_copy "$copy" --product cairn
    print_timing "clean debug build" "$(seconds_since "$from")" 240
    from=$EPOCHREALTIME
    run_logged clean-build-tests build_copy "$copy" --build-tests
    say "  its tests: $(seconds_since "$from") s more"
    # One statement more in the first function that begins with a declaration: what an edit of a body is to the compiler.
    awk '!done && inside && /^        (let|var|guard) / { print "        _ = 0"; done = 1 }
        { inside = /^    .*func .*\{$/; print }' "$file" >"$copy/$file"
    if cmp -s "$file" "$copy/$file"; then fail "found no function to edit in $file"; fi
    # shellcheck disable=SC2034  # for run_tests
    TEST_OUTPUT="$LOG_FOLDER/tests-edit.txt"
    from=$EPOCHREALTIME
    run_logged edit-build build_copy "$copy" --build-tests
    run_logged edit-test run_tests "$copy/.build/debug/${TEST_BINARY##*/}" "^$module\\.$suite/"
    print_timing "edit a body, rebuild, run its suite" "$(seconds_since "$from")" 20
    from=$EPOCHREALTIME
    run_logged edit-test run_tests "$copy/.build/debug/${TEST_BINARY##*/}" "^$module\\."
    say "  its whole module: $(seconds_since "$from") s more"
    rm -rf "$copy"
}

# build_copy FOLDER OPTION…
build_copy() { swift build "${SWIFT_FLAGS[@]}" --package-path "$1" --scratch-path "$1/.build" "${@:2}"; }

print_timing() {
    local mark="$GREEN within$PLAIN"
    if awk -v taken="$2" -v budget="$3" 'BEGIN { exit !(taken > budget) }'; then mark="$YELLOW over$PLAIN"; fi
    say "  $1: $2 s,$mark its budget of $3 s"
}
