# shellcheck shell=bash
# The servers that tests use. Scripts/services.sh knows how to install, start and stop them; its functions
# report failure by their status, so they are called in conditions.

if [[ -f Scripts/services.sh ]]; then
    # shellcheck source=/dev/null
    source Scripts/services.sh
fi

# Written by `./dev services start`: those servers stay when a test run ends.
SERVICES_KEPT="$CAIRN_ROOT/.services/kept"

cmd_services() {
    declare -F services_start >/dev/null || fail "Scripts/services.sh is missing"
    case ${1:-} in
        start)
            require_packages test
            services_start || fail "the servers did not start"
            touch "$SERVICES_KEPT"
            ;;
        stop)
            rm -f "$SERVICES_KEPT"
            services_stop || fail "the servers did not stop"
            ;;
        status) services_status ;;
        env) (services_env && export -p | grep '^declare -x CAIRN_TEST') ;;
        *) fail_usage "services takes start, stop, status or env" ;;
    esac
}

# In CI a server that does not start is a failure; elsewhere its tests are skipped and say so.
start_services() {
    if ! services_start; then
        [[ ${CI:-} != true ]] || fail "the servers did not start"
        note "The servers did not start: tests that need them are skipped."
    fi
}

# Points the tests at the servers.
use_services() {
    services_env
    if services_status 2>/dev/null; then export CAIRN_REQUIRE_ENGINES=1; fi
}

# Servers that were not there before `./dev test` go with it, however it ends.
stop_services_afterwards() {
    if [[ ! -e $SERVICES_KEPT ]]; then trap stop_services EXIT; fi
}

stop_services() {
    services_stop >"$LOG_FOLDER/services-stop.log" 2>&1 || note "the servers did not stop"
}

# For a part of the tests: the servers that run, without starting any.
use_running_services() {
    if declare -F services_env >/dev/null; then services_env; fi
}
