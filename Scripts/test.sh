# shellcheck shell=bash
# ./dev test: what CI runs. With --only or --filter it is the short form for while one works on a module;
# with --sanitize, what the long form does besides.

TEST_OUTPUT="$LOG_FOLDER/tests.txt"
# What hangs must end and say so before CI is ended from outside; the longest script takes seven minutes beside others,
# and four times as long on a slow disk.
TEST_LIMIT=30m
SCRIPT_LIMIT=30m
# Modules whose tests have no time limits that others could break, and often wait for a disk or a database; the longest
# first. Those that ask a service which plays a cloud have such limits: it is one process, and Cairn waits for seconds.
PATIENT_MODULES=(StacksTests PersistenceMySQLTests StateStoreTests IdentityTests)
# What waits most of the time: for packages, servers, leases to end. The longest first, so that nothing waits for them.
PATIENT_SCRIPTS=(run-15-buckets run-16-keys run-18-move run-10-recordings run-17-audit run-20-sdk)

cmd_test() {
    local only='' filter='' long='' sanitizer=''
    while (($# > 0)); do
        case $1 in
            --sanitize) sanitizer=${2:?--sanitize takes thread or address} && shift ;;
            --only) only=${2:?--only takes module names} && shift ;;
            --filter) filter=${2:?--filter takes a regular expression} && shift ;;
            --long) long=yes ;;
            -j) set_jobs "${2:-}" && shift ;;
            *) fail_usage "test takes --only A,B, --filter X, --sanitize thread|address, --long and -j N, not '$1'" ;;
        esac
        shift
    done
    [[ $sanitizer =~ ^(thread|address)?$ ]] || fail_usage "--sanitize takes thread or address, not '$sanitizer'"
    [[ -z $sanitizer || -z $only$filter$long ]] || fail_usage "--sanitize runs every module, once: it stands alone"
    require build test
    if [[ -n $only$filter ]]; then
        test_part "$only" "$filter"
    elif [[ -n $sanitizer ]]; then
        test_sanitized_alone "$sanitizer"
    else
        test_everything "$long"
        print_stage_summary
    fi
    closing_line
}

test_everything() {
    if [[ -n ${1:-} ]]; then
        export CAIRN_LONG=1
        # Most of it for the simulation, whose long run takes three quarters of an hour.
        TEST_LIMIT=90m
    fi
    stage "1 format, lint; contract regenerated: no change" 90 together lint_stage contract_stage
    stop_services_afterwards
    stage "2 debug build with tests; database servers" 300 together build_tests_stage start_services
    use_services
    stage "3 tests, with SQLite, MariaDB and MySQL" 480 test_all_modules
    stage "4 end-to-end tests; simulation" 600 end_to_end_tests
    stage "5 fuzzing" 200 fuzz_targets 20
    if [[ -n ${1:-} ]]; then
        stage "5a tests under the thread sanitizer" 1500 test_sanitized thread
        stage "5b tests under the address sanitizer" 1500 test_sanitized address
    fi
    sum_of_runs
}

lint_stage() { run_logged lint lint_everything; }

build_tests_stage() { run_logged build-tests build_tests; }

contract_stage() {
    verify_contract
    test_contract_gen
}

# Only some modules, or only some tests; database tests use the servers that run.
test_part() {
    local only=$1 filter=$2
    if [[ -n $only ]]; then export CAIRN_ONLY=$only; fi
    use_running_services
    run_logged build-tests build_tests
    run_logged tests run_tests "$TEST_BINARY" "$filter"
    report_skipped
}

# One process for each module. Tests of time limits mean something only where what runs beside them is known, so those
# modules come one after the other. The simulation runs where there is time, beside scripts that wait. All of them run,
# whichever fails: one run shows everything that is wrong.
test_all_modules() {
    local folder module alone=() status=0
    for folder in Tests/*Tests; do
        module=${folder##*/}
        if [[ " ${PATIENT_MODULES[*]} SimulationTests " != *" $module "* ]]; then alone+=("$module"); fi
    done
    side_by_side 2 test_module "${PATIENT_MODULES[@]}" &
    wait "$!" || status=$?
    side_by_side 1 test_module "${alone[@]}"
    ((status == 0)) || fail "a module's tests failed, as said above"
    : >"$TEST_OUTPUT"
    for module in "${PATIENT_MODULES[@]}" "${alone[@]}"; do gather_tests "$module"; done
    report_skipped
}

# Its output is kept until it is gathered.
test_module() {
    local module=$1 from=$EPOCHREALTIME TEST_OUTPUT="$LOG_FOLDER/tests-$1.txt"
    run_logged "tests-$module" run_tests "$TEST_BINARY" "^$module\\."
    say "  $module: $(closing_line | grep -o '[0-9]* tests\?') in $(seconds_since "$from") s"
}

gather_tests() { cat "$LOG_FOLDER/tests-$1.txt" >>"$TEST_OUTPUT"; }

# Adds a last line that sums up what the runs said.
sum_of_runs() {
    local sum
    sum=$(grep 'Test run with [0-9]* test' "$TEST_OUTPUT" | awk '
        { for (i = 1; i <= NF; i++) {
            if ($i ~ /^tests?$/) tests += $(i - 1)
            if ($i ~ /^suites?$/) suites += $(i - 1)
            if ($i == "after") seconds += $(i + 1) } }
        END { printf "Test run with %d tests in %d suites passed after %.1f seconds.\n", tests, suites, seconds }')
    say "$sum" >>"$TEST_OUTPUT"
}

# run_tests BINARY FILTER: keeps the output without colours in TEST_OUTPUT; says what failed when something did.
run_tests() {
    local binary=$1 arguments=(--testing-library swift-testing) status=0
    if [[ -n $2 ]]; then arguments+=(--filter "$2"); fi
    timeout --foreground --kill-after=10 "$TEST_LIMIT" "$binary" "${arguments[@]}" 2>&1 |
        without_colours >"$TEST_OUTPUT" || status=${PIPESTATUS[0]}
    case $status in
        0) ;;
        69) echo "No test was run. A filter names types and functions, as in TimestampTests, not display names." ;;
        124 | 137) echo "Stopped after $TEST_LIMIT. The last lines:" && tail -n 20 "$TEST_OUTPUT" ;;
        66) show_reports ;;
        *) grep -E '✘|↳|Fatal error|Precondition|Program crashed' "$TEST_OUTPUT" | tail -n 35 ||
            tail -n 35 "$TEST_OUTPUT" ;;
    esac
    if ((status != 0)); then
        echo "All output: ${TEST_OUTPUT#"$CAIRN_ROOT"/}"
        return "$status"
    fi
    [[ -n $(closing_line) ]] || { echo "the tests ended without their closing line" && return 1; }
    if closing_line | grep -q 'Test run with 0 tests'; then echo "no test was run" && return 1; fi
}

# "Test run with N tests in M suites passed after …": what CI counts.
closing_line() { grep 'Test run with [0-9]* test' "$TEST_OUTPUT" | tail -n 1 || true; }

report_skipped() {
    local reasons
    reasons=$(sed -nE 's/^➜ ((Test|Suite) .*) skipped(: (.*)|\.)$/\1 \4/p' "$TEST_OUTPUT" | sort | uniq -c)
    if [[ -n $reasons ]]; then note "Skipped, and why:"$'\n'"$reasons"; fi
}

test_sanitized_alone() {
    stop_services_afterwards
    start_services
    use_services
    # For the closing line: what the stage sets ends with it.
    TEST_OUTPUT="$LOG_FOLDER/tests-$1.txt"
    stage "tests under the $1 sanitizer" 1500 test_sanitized "$1"
    print_stage_summary
}

# Every test once more in a build with a sanitizer, which fails upon any report: also upon one of a process that a test
# started, and upon one in a test that passes.
test_sanitized() {
    local kind=$1 scratch="$CAIRN_ROOT/.build-$1"
    unset CAIRN_LONG
    # Each takes many times as long there.
    export CAIRN_SIMULATION_SEEDS=40
    run_logged "build-$kind" swift build "${SWIFT_FLAGS[@]}" --scratch-path "$scratch" --build-tests --sanitize "$kind"
    SANITIZER_REPORTS="$LOG_FOLDER/reports-$kind"
    rm -f "$SANITIZER_REPORTS".*
    export TSAN_OPTIONS="log_path=$SANITIZER_REPORTS:halt_on_error=0:exitcode=66:second_deadlock_stack=1"
    TSAN_OPTIONS+=":suppressions=$CAIRN_ROOT/Scripts/thread-sanitizer.txt"
    export ASAN_OPTIONS="log_path=$SANITIZER_REPORTS:exitcode=66:detect_leaks=0"
    TEST_OUTPUT="$LOG_FOLDER/tests-$kind.txt"
    TEST_BINARY="$scratch/debug/${TEST_BINARY##*/}"
    test_all_modules
    test_module SimulationTests
    gather_tests SimulationTests
    sum_of_runs
    show_reports
    [[ -z $(sanitizer_reports) ]] || fail "the $kind sanitizer has reported something"
    say "  no report of the $kind sanitizer"
}

sanitizer_reports() { compgen -G "${SANITIZER_REPORTS:-/nowhere}.*" || true; }

# The first report; the others are in files beside it.
show_reports() {
    local first
    first=$(sanitizer_reports | head -n 1)
    if [[ -n $first ]]; then head -n 60 "$first"; fi
}

# MARK: end to end

# within LIMIT COMMAND…: after so long shows what runs, and ends the command and what it has started.
within() {
    local limit=$1 status=0 leader watch
    shift
    # Not for its limit: it makes a group of processes, and passes on to all of them what ends it.
    timeout --kill-after=20 1d "$@" &
    leader=$!
    (
        sleep "$limit" &
        # shellcheck disable=SC2064
        trap "kill $!; exit" TERM
        wait "$!"
        echo "ended, as it took longer than $limit; what ran:"
        ps -e -ww -o pgid,pid,stat,etime,time,args | awk -v group="$leader" 'NR == 1 || $1 == group'
        kill -TERM "$leader"
    ) &
    watch=$!
    wait "$leader" || status=$?
    kill "$watch" 2>/dev/null || true
    return "$status"
}

# Runs every executable Tests/EndToEnd/run-*.sh; Scripts/e2e.sh is what they source.
# Several of those that wait run side by side, and beside them what never waits: the simulation, and the build of the
# fuzz targets with a low priority. Scripts that measure memory or time, or want the whole machine, come afterwards, one
# after the other. All of them run, whichever fails.
end_to_end_tests() {
    local script name beside=(SimulationTests "${PATIENT_SCRIPTS[@]}") alone=() status=0
    export CAIRN_BIN=$DEBUG_BINARY
    keep_files_in_memory
    for script in Tests/EndToEnd/run-*.sh; do
        name=$(basename "$script" .sh)
        if [[ " ${PATIENT_SCRIPTS[*]} " != *" $name "* ]]; then alone+=("$name"); fi
    done
    together patient_tests build_fuzz_targets &
    wait "$!" || status=$?
    side_by_side 1 end_to_end_test "${alone[@]}"
    ((status == 0)) || fail "a script failed, or the simulation, as said above"
    gather_tests SimulationTests
    rm -rf "${FILES_IN_MEMORY:-}"
}

# In CI, where there is room, as with the servers' data: a disk that others use as well stands still for seconds, and then
# Cairn refuses. Elsewhere, and with ./dev faults, the scripts use the disk.
keep_files_in_memory() {
    [[ -n ${CI:-} ]] && memory_has 6 || return 0
    FILES_IN_MEMORY=$(mktemp -d /dev/shm/cairn-e2e-XXXXXX)
    # Some tests run programs there, and one is another user.
    chmod 711 "$FILES_IN_MEMORY"
    if cp /bin/true "$FILES_IN_MEMORY/" && "$FILES_IN_MEMORY/true" 2>/dev/null; then export TMPDIR=$FILES_IN_MEMORY; fi
}

patient_tests() { side_by_side 4 patient_test "${beside[@]}"; }

patient_test() {
    case $1 in
        run-*) end_to_end_test "$1" ;;
        *) test_module "$1" ;;
    esac
}

end_to_end_test() {
    local name=$1 from=$EPOCHREALTIME
    run_logged "$name" within "$SCRIPT_LIMIT" "Tests/EndToEnd/$name.sh"
    say "  $name.sh passed in $(seconds_since "$from") s"
}
