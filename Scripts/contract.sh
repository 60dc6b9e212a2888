# shellcheck shell=bash
# The committed code that Tools/contract-gen makes out of Contract/contract.json.

GENERATED=Sources/Contract/Generated

regenerate_contract() {
    [[ -f Tools/contract-gen/Package.swift ]] || { echo "Tools/contract-gen is missing" && return 1; }
    swift run --disable-index-store --package-path Tools/contract-gen --scratch-path "$CAIRN_ROOT/.build-tools" \
        contract-gen "$CAIRN_ROOT"
    swift format --in-place --parallel --recursive "$GENERATED"
}

# Fails when the committed files are not what the generator makes. It compares with the folder, not with git, so that a
# contract change can be tested before it is committed.
verify_contract() {
    local before="$CAIRN_ROOT/.build-logs/generated-before"
    rm -rf "$before"
    mkdir -p "$before"
    if [[ -d $GENERATED ]]; then cp -r "$GENERATED/." "$before"; fi
    run_logged contract regenerate_contract
    diff -rq "$before" "$GENERATED" || fail "$GENERATED was not what the generator makes; it is now: review and commit it"
}

# The generator is a package of its own, so its tests are not among those of the product.
test_contract_gen() {
    local tools="$CAIRN_ROOT/.build-tools"
    [[ -d Tools/contract-gen/Tests/ContractGenTests ]] || return 0
    run_logged build-contract-gen-tests swift build --disable-index-store --package-path Tools/contract-gen \
        --scratch-path "$tools" --build-tests
    # shellcheck disable=SC2034  # for run_tests
    TEST_OUTPUT="$LOG_FOLDER/tests-contract-gen.txt"
    run_logged tests-contract-gen run_tests "$tools/debug/contract-genPackageTests.xctest" ''
    say "  contract-gen: $(closing_line)"
}

cmd_contract() {
    require build
    run_logged contract regenerate_contract
    if [[ -z $(git status --porcelain -- "$GENERATED") ]]; then
        say "$GENERATED: nothing changed"
    else
        git --no-pager diff --stat -- "$GENERATED"
        git status --short -- "$GENERATED"
        say "$GENERATED changed: review and commit it"
    fi
}
