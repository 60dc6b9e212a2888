# shellcheck shell=bash
# Formatter and linter: `swift format`, clang-format, and the project's own rules in Scripts/lint.sh.

swift_sources() {
    local path
    for path in Package.swift Sources Tests Tools Benchmarks Fuzzing; do
        if [[ -e $path ]]; then echo "$path"; fi
    done
}

c_sources() { find Sources/C -name '*.h' -o -name '*.c' -o -name '*.cpp' | sort; }

lint_everything() {
    local paths
    mapfile -t paths < <(swift_sources)
    swift format lint --strict --parallel --recursive "${paths[@]}"
    Scripts/lint.sh
    Scripts/lint-test.sh
}

cmd_lint() {
    require build test
    lint_everything
    say "format and lint: clean"
}

cmd_format() {
    local paths
    require build test
    mapfile -t paths < <(swift_sources)
    swift format --in-place --parallel --recursive "${paths[@]}"
    c_sources | xargs -r -d '\n' clang-format -i
}
