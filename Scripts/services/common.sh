# shellcheck shell=bash
# Folders, ports, words: what the other files of this folder share. Sourced.

# Made up for these test servers, which listen on loopback only.
# shellcheck disable=SC2034
SERVICES_PASSWORD='test-only'
# Every character that breaks a naively built connection string.
# shellcheck disable=SC1003,SC2034
SERVICES_NASTY_PASSWORD='p@:/%#?&'\''" \ü'

services_say() {
    echo "services: $*" >&2
}

services_fail() {
    services_say "$*"
    return 1
}

# The folder of this clone, which ignores itself for git, and the folder of its data.
services_folder() {
    mkdir -p "$SERVICES_ROOT" || return
    [ -e "$SERVICES_ROOT/.gitignore" ] || echo '*' >"$SERVICES_ROOT/.gitignore"
    SERVICES_DATA=$(services_data_folder) || return
    mkdir -p "$SERVICES_DATA" && chmod 700 "$SERVICES_DATA"
}

# memory_has GB: whether files may be kept in memory, and so much is free there.
memory_has() {
    local free
    free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
    [ -w /dev/shm ] && [ "${free:-0}" -gt $(($1 * 1000000)) ]
}

# In memory where 2 GB are free there, so that `fsync` costs nothing although it is on; else in the clone. The choice is
# kept for as long as the servers run.
services_data_folder() {
    local kept=$SERVICES_ROOT/data-folder name
    if [ -s "$kept" ]; then
        cat "$kept"
        return
    fi
    name=cairn-$(id -u)-$(cksum <<<"$SERVICES_ROOT" | cut -d' ' -f1)
    if memory_has 2; then
        echo "/dev/shm/$name" >"$kept"
    else
        echo "$SERVICES_ROOT/data" >"$kept"
    fi
    cat "$kept"
}

services_drop_data() {
    [ -s "$SERVICES_ROOT/data-folder" ] || return 0
    rm -rf "$(cat "$SERVICES_ROOT/data-folder")" "$SERVICES_ROOT/data-folder"
}

services_free_port() {
    local port=$1 last=$(($1 + 200))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 10))
        [ $port -lt $last ] || services_fail "no free port from $1 to $last" || return
    done
    echo "$port"
}

# Percent-encodes every byte that is not a plain letter, digit or one of ._~-
services_percent_encode() {
    local LC_ALL=C text=$1 index char
    for ((index = 0; index < ${#text}; index++)); do
        char=${text:index:1}
        case $char in
        [a-zA-Z0-9._~-]) printf '%s' "$char" ;;
        *) printf '%s' "$char" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' | tr 'a-f' 'A-F' ;;
        esac
    done
}
