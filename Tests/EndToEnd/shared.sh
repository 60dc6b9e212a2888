# shellcheck shell=bash
# Where the recordings and the contract tool are, and servers on the databases of the tests.

# require_shared: sets SHARED to the folder of recordings and contract tool, ../shared beside the clone or CAIRN_SHARED.
#
# Without it the calling test says so and ends: well elsewhere, as a failure in CI.
require_shared() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    SHARED=${CAIRN_SHARED:-$root/../shared}
    if [[ -d $SHARED/recordings && -d $SHARED/contract ]]; then
        SHARED=$(cd "$SHARED" && pwd)
        return
    fi
    echo "NOT RUN: $SHARED has no recordings and no contract tool; CAIRN_SHARED names their folder"
    [[ -n ${CI:-} ]] && exit 1
    exit 0
}

# require_engine NAME: whether there is a test server of MYSQL or MARIADB; none is a failure in CI.
require_engine() {
    local variable=CAIRN_TEST_$1
    [[ -z ${!variable:-} ]] || return 0
    echo "NOT RUN on $1: $variable is not set; ./dev services start"
    [[ -z ${CI:-} ]] || exit 1
    return 1
}

# mysql_settings URL SCHEMA: prints the server's settings for a database of the test services, one per line.
mysql_settings() {
    python3 - "$1" "$2" <<'PYTHON'
import sys, urllib.parse
url, schema = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2]
authority = urllib.parse.parse_qs(url.query)["ca"][0]
print("PULUMI_DATABASE_ENDPOINT=%s:%d" % (url.hostname, url.port))
print("PULUMI_DATABASE_NAME=" + schema)
print("PULUMI_DATABASE_USER_NAME=" + urllib.parse.unquote(url.username))
print("PULUMI_DATABASE_USER_PASSWORD=" + urllib.parse.unquote(url.password or ""))
print("DATABASE_MIN_TLS_VERSION=1.2")
print("CA=" + authority)
PYTHON
}

# start_cairn_on_mysql NAME URL VARIABLE=VALUE…: like start_cairn, on a fresh schema of a test server.
start_cairn_on_mysql() {
    local name=$1 url=$2 settings=() line authority='' schema
    shift 2
    schema="cairn_e2e_${name//-/_}_$$"
    while IFS= read -r line; do
        case $line in
            CA=*) authority=${line#CA=} ;;
            *) settings+=("$line") ;;
        esac
    done < <(mysql_settings "$url" "$schema")
    make_schema "$url" "$schema"
    start_cairn "$name" "${settings[@]}" DATABASE_CA_CERTIFICATE="$(cat "$authority")" "$@"
}

# Makes an empty schema with the client that Debian's MariaDB brings.
make_schema() {
    local host port user password
    read -r host port user password < <(python3 - "$1" <<'PYTHON'
import sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
print(url.hostname, url.port, urllib.parse.unquote(url.username), urllib.parse.unquote(url.password or ""))
PYTHON
    )
    MYSQL_PWD=$password mariadb --no-defaults --protocol=tcp --ssl --host="$host" --port="$port" --user="$user" \
        --execute="DROP DATABASE IF EXISTS $2; CREATE DATABASE $2 CHARACTER SET utf8mb4"
}
