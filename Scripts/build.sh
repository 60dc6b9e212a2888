# shellcheck shell=bash
# Building and serving.
#
# Debug and release builds have separate scratch folders, and both are apart from what an editor's language server
# builds with an index store: compiling with other flags into one folder would rebuild everything at each change.

SCRATCH_DEBUG="$CAIRN_ROOT/.build-debug"
SCRATCH_RELEASE="$CAIRN_ROOT/.build"
DEBUG_BINARY="$SCRATCH_DEBUG/debug/cairn"
RELEASE_BINARY="$SCRATCH_RELEASE/release/cairn"
SCRATCH_BENCHMARKS="$CAIRN_ROOT/.build-benchmarks"
# shellcheck disable=SC2034  # both for bench.sh
SINK_BINARY="$SCRATCH_BENCHMARKS/release/HTTPSink" FOLD_BINARY="$SCRATCH_BENCHMARKS/release/StateFold" OBJECTS_BINARY="$SCRATCH_BENCHMARKS/release/Objects"
# shellcheck disable=SC2034  # for test.sh
TEST_BINARY="$SCRATCH_DEBUG/debug/cairnPackageTests.xctest"

# The index store costs more than half of the compile time, and the tests do not need it (Tests/XCTMain.swift).
SWIFT_FLAGS=(--disable-index-store --explicit-target-dependency-import-check error)

# For what nobody edits after it was built: whole modules, and of debug information lines alone, take a fifth less time.
ONCE_FLAGS=(-Xswiftc -whole-module-optimization -Xswiftc -num-threads -Xswiftc 2 -Xswiftc -gline-tables-only)
# For the debug build: people edit what it is made of, services for continuous integration (which set CI) do not.
DEBUG_FLAGS=()
if [[ -n ${CI:-} ]]; then DEBUG_FLAGS=("${ONCE_FLAGS[@]}"); fi

# set_jobs N: for `-j N`.
set_jobs() {
    [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || fail_usage "-j takes a number"
    SWIFT_FLAGS+=(-j "$1")
}

build_debug() { swift build "${SWIFT_FLAGS[@]}" "${DEBUG_FLAGS[@]}" --scratch-path "$SCRATCH_DEBUG" --product cairn; }

build_tests() { swift build "${SWIFT_FLAGS[@]}" "${DEBUG_FLAGS[@]}" --scratch-path "$SCRATCH_DEBUG" --build-tests; }

build_release() {
    swift build "${SWIFT_FLAGS[@]}" --scratch-path "$SCRATCH_RELEASE" \
        -c release --static-swift-stdlib --product cairn
}

# Programs for benchmarks: the HTTP server alone, and the fold alone. Apart from the release, whose package has neither.
build_benchmark() {
    CAIRN_BENCHMARKS=1 swift build "${SWIFT_FLAGS[@]}" --scratch-path "$SCRATCH_BENCHMARKS" \
        -c release --static-swift-stdlib --product "$1"
}

build_sink() { build_benchmark HTTPSink; }

build_fold() { build_benchmark StateFold; }
build_objects() { build_benchmark Objects; }

cmd_build() {
    local release=
    while (($# > 0)); do
        case $1 in
            --release) release=yes ;;
            -j) set_jobs "${2:-}" && shift ;;
            *) fail_usage "build takes --release and -j N, not '$1'" ;;
        esac
        shift
    done
    require build
    if [[ -n $release ]]; then
        run_logged build-release build_release
        say "$RELEASE_BINARY"
    else
        run_logged build-debug build_debug
        say "$DEBUG_BINARY"
    fi
}

# Cairn refuses a CAIRN_… variable that is no setting, since it would be a misspelling; those of ./dev are none.
forget_own_variables() {
    unset CAIRN_ROOT CAIRN_ONLY CAIRN_LONG CAIRN_REQUIRE_ENGINES CAIRN_SKIP_PACKAGES CAIRN_SERVICES
    unset CAIRN_SERVICES_CACHE CAIRN_MARIADB_PORT CAIRN_MYSQL_PORT "${!CAIRN_TEST_@}"
}

# Builds what is asked for and becomes the server: signals reach it directly.
#
# Debug by default: a first build on two cores takes half as long as a release build, and who tries Cairn waits for it.
# `--release` is for serving people.
cmd_serve() {
    local binary=$DEBUG_BINARY step=build_debug
    while (($# > 0)); do
        case $1 in
            --release) binary=$RELEASE_BINARY step=build_release ;;
            -j) set_jobs "${2:-}" && shift ;;
            *) break ;;
        esac
        shift
    done
    require build
    say "Building cairn (the first time takes some minutes; output in .build-logs) …"
    run_logged "${step//_/-}" "$step"
    forget_own_variables
    exec "$binary" serve "$@"
}
