# shellcheck shell=bash
# Where the recordings and the contract tool are: ../shared beside the clone, or CAIRN_SHARED.

shared_folder() {
    local root
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    local folder=${SHARED_FOLDER:-$root/../shared}
    if [[ ! -d $folder/recordings ]]; then
        echo "there is no $folder/recordings; set SHARED_FOLDER" >&2
        return 1
    fi
    (cd "$folder" && pwd)
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
