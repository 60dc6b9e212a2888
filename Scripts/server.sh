# shellcheck shell=bash
# The database servers of the tests. Scripts/services.sh knows how to install, start and stop them.

if [[ -f Scripts/services.sh ]]; then
    # shellcheck source=/dev/null
    source Scripts/services.sh
fi

# Written by `./dev services start`: those servers stay when a test run ends.
SERVICES_KEPT="$CAIRN_ROOT/.services/kept"

cmd_services() {
    require_services
    case ${1:-} in
        start)
            require_packages test
            services_start
            mkdir -p "${SERVICES_KEPT%/*}"
            touch "$SERVICES_KEPT"
            ;;
        stop)
            rm -f "$SERVICES_KEPT"
            services_stop
            ;;
        env) services_env ;;
        *) fail_usage "services takes start, stop or env" ;;
    esac
}

require_services() {
    declare -F services_start >/dev/null || fail "Scripts/services.sh is missing"
}

# For a whole test run: starts the servers, and stops them at its end unless `./dev services start` had started them.
#
# In CI a server that does not start is a failure; elsewhere its tests are skipped and say so.
start_services_for_tests() {
    local kept=
    if [[ -e $SERVICES_KEPT ]]; then kept=yes; fi
    # A process of its own, so that `set -e` holds in it although its failure is handled here.
    if ! "$CAIRN_ROOT/dev" services start; then
        [[ ${CI:-} != true ]] || fail "the database servers did not start"
        note "The database servers did not start: tests that need them are skipped."
        return 0
    fi
    if [[ -z $kept ]]; then
        rm -f "$SERVICES_KEPT"
        trap 'services_stop >"$LOG_FOLDER/services-stop.log" 2>&1 || note "the database servers did not stop"' EXIT
    fi
    use_running_services
    export CAIRN_REQUIRE_ENGINES=1
}

use_running_services() {
    declare -F services_env >/dev/null || return 0
    set -a
    eval "$(services_env)"
    set +a
}
