# shellcheck shell=bash
# The servers that tests use: MariaDB from the machine's Debian, MySQL from Debian's unstable suite, and
# those of services/clouds.sh, which play clouds.
#
# Sourced by ./dev; defines services_start, services_stop, services_status and services_env. Everything the servers
# write is in .services/ of the clone, their data in memory (/dev/shm) where there is room. Knobs, all optional:
#   CAIRN_SERVICES        which servers; when it is not set,
#                         "mariadb mysql moto seaweedfs azureblob azurevault googlekms googlestorage vault"
#   CAIRN_MARIADB_PORT    first port to try, 13306 by default; a taken port leads to the next free one
#   CAIRN_MYSQL_PORT      the same, 13307 by default
#   CAIRN_MOTO_PORT       the same, 13308 by default; CAIRN_SEAWEEDFS_PORT 13309, CAIRN_AZUREBLOB_PORT 13310,
#                         CAIRN_AZUREVAULT_PORT 13311, CAIRN_GOOGLEKMS_PORT 13312,
#                         CAIRN_GOOGLESTORAGE_PORT 13313, CAIRN_VAULT_PORT 13314
#   CAIRN_SERVICES_CACHE  where unpacked servers are kept between clones, ~/.cache/cairn/services by default

SERVICES_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/services" && pwd)
SERVICES_ROOT=${SERVICES_ROOT:-$(cd "$SERVICES_SCRIPTS/../.." && pwd)/.services}

# shellcheck source=services/common.sh
source "$SERVICES_SCRIPTS/common.sh"
# shellcheck source=services/packages.sh
source "$SERVICES_SCRIPTS/packages.sh"
# shellcheck source=services/certificates.sh
source "$SERVICES_SCRIPTS/certificates.sh"
# shellcheck source=services/instance.sh
source "$SERVICES_SCRIPTS/instance.sh"
# shellcheck source=services/clouds.sh
source "$SERVICES_SCRIPTS/clouds.sh"

# Starts what is not running yet; quick when everything is.
services_start() {
    local kind began=$SECONDS
    services_folder || return
    services_packages || return
    services_certificates || return
    for kind in $(services_kinds); do
        if is_cloud "$kind"; then
            cloud_start "$kind" || return
            continue
        fi
        services_template "$kind" || return
        services_start_shared "$kind" || return
    done
    services_say "ready after $((SECONDS - began)) s: $(services_kinds)"
}

# Stops the servers of this clone and drops their data.
services_stop() {
    local kind
    for kind in mariadb mysql; do
        [ -d "$SERVICES_ROOT/$kind" ] || continue
        instance_stop "$SERVICES_ROOT/$kind" || return
        rm -rf "${SERVICES_ROOT:?}/$kind"
        services_say "$kind stopped"
    done
    for kind in moto seaweedfs azureblob azurevault googlekms googlestorage vault; do
        [ -d "$SERVICES_ROOT/$kind" ] || continue
        cloud_stop "$kind"
        rm -rf "${SERVICES_ROOT:?}/$kind"
        services_say "$kind stopped"
    done
    services_drop_data
}

# One line per server; fails when one is not running.
services_status() {
    local kind result=0
    for kind in $(services_kinds); do
        if services_running "$kind"; then
            services_say "$kind listens on 127.0.0.1:$(cat "$SERVICES_ROOT/$kind/port")"
        else
            services_say "$kind is not running"
            result=1
        fi
    done
    return $result
}

# Exports what tests need to find the servers that run; a server that does not run has no variables.
services_env() {
    local kind name port query
    query="?ca=$(services_percent_encode "$SERVICES_ROOT/tls/ca.pem")"
    export CAIRN_TEST_SERVICES="$SERVICES_SCRIPTS"
    for kind in mariadb mysql; do
        name=CAIRN_TEST_$(tr '[:lower:]' '[:upper:]' <<<"$kind")
        unset "$name" "${name}_ADMIN" "${name}_NASTY" "${name}_EMPTY"
        instance_running "$SERVICES_ROOT/$kind" || continue
        port=$(cat "$SERVICES_ROOT/$kind/port")
        export "$name=$(services_url cairn "$SERVICES_PASSWORD" "$port")$query"
        export "${name}_ADMIN=$(services_url cairn_admin "$SERVICES_PASSWORD" "$port")$query"
        export "${name}_NASTY=$(services_url cairn_nasty "$SERVICES_NASTY_PASSWORD" "$port")$query"
        export "${name}_EMPTY=$(services_url cairn_empty "" "$port")$query"
    done
    for kind in moto seaweedfs azureblob azurevault googlekms googlestorage vault; do
        name=CAIRN_TEST_$(tr '[:lower:]' '[:upper:]' <<<"$kind")
        unset "$name"
        if cloud_running "$kind"; then export "$name=http://127.0.0.1:$(cat "$SERVICES_ROOT/$kind/port")"; fi
    done
}

# --- Parts -----------------------------------------------------------------------------------------------------------

services_kinds() {
    echo "${CAIRN_SERVICES:-mariadb mysql moto seaweedfs azureblob azurevault googlekms googlestorage vault}"
}

services_running() {
    if is_cloud "$1"; then cloud_running "$1"; else instance_running "$SERVICES_ROOT/$1"; fi
}

services_start_shared() {
    local kind=$1 folder=$SERVICES_ROOT/$1 port
    if instance_running "$folder"; then
        services_say "$kind runs already on 127.0.0.1:$(cat "$folder/port")"
        return
    fi
    case $kind in
    mariadb) port=${CAIRN_MARIADB_PORT:-13306} ;;
    mysql) port=${CAIRN_MYSQL_PORT:-13307} ;;
    esac
    port=$(services_free_port "$port") || return
    rm -rf "$folder"
    # Awkward defaults on purpose: whatever the driver does not set for its own sessions, a test stumbles over.
    instance_start "$kind" "$folder" "$port" --default-time-zone=+05:45 --sql-mode= \
        --transaction-isolation=READ-UNCOMMITTED
}

services_url() {
    local password
    password=$(services_percent_encode "$2")
    echo "mysql://$1${password:+:$password}@127.0.0.1:$3/"
}
