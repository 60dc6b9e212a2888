# shellcheck shell=bash
# moto: a server that speaks the protocols of AWS, from PyPI, in an environment of its own. Sourced.
#
# It keeps everything in memory, checks no signatures, and knows STS, KMS and S3 well. Its folder gets the log, the
# process id and the port.

MOTO_PACKAGE='moto[server]==5.*'

# Installs it once for all clones.
moto_install() {
    local folder
    folder=$(services_cache)/moto
    [ -e "$folder/complete" ] && return
    mkdir -p "$(services_cache)" || return
    (
        flock 9 || exit
        [ -e "$folder/complete" ] && exit
        services_say "installing moto"
        rm -rf "$folder"
        if ! python3 -m venv "$folder" >"$SERVICES_ROOT/moto-install.log" 2>&1 ||
            ! "$folder/bin/pip" install --quiet --disable-pip-version-check "$MOTO_PACKAGE" \
                >>"$SERVICES_ROOT/moto-install.log" 2>&1; then
            tail -n 20 "$SERVICES_ROOT/moto-install.log" >&2
            services_fail "moto cannot be installed; CAIRN_SERVICES='mariadb mysql' starts without it"
            exit
        fi
        touch "$folder/complete"
    ) 9>"$(services_cache)/moto.lock"
}

moto_start() {
    local folder=$SERVICES_ROOT/moto port began=$SECONDS deadline=$((SECONDS + 60))
    if moto_running; then
        services_say "moto runs already on 127.0.0.1:$(cat "$folder/port")"
        return
    fi
    port=$(services_free_port "${CAIRN_MOTO_PORT:-13308}") || return
    rm -rf "$folder" && mkdir -p "$folder" || return
    echo "$port" >"$folder/port"
    server_detached "$folder/log" "$(services_cache)/moto/bin/python" "$(services_cache)/moto/bin/moto_server" \
        -H 127.0.0.1 -p "$port" &
    echo $! >"$folder/pid"
    until curl --silent --fail --output /dev/null "http://127.0.0.1:$port/moto-api/"; do
        if ! moto_running || [ $SECONDS -ge $deadline ]; then
            tail -n 20 "$folder/log" >&2
            services_fail "moto does not answer; the end of its log is above"
            return
        fi
        sleep 0.1
    done
    services_say "moto listens on 127.0.0.1:$port after $((SECONDS - began)) s"
}

moto_stop() {
    local pid deadline=$((SECONDS + 10))
    while moto_running; do
        pid=$(cat "$SERVICES_ROOT/moto/pid")
        if [ $SECONDS -ge $deadline ]; then kill -s KILL "$pid"; else kill "$pid"; fi 2>/dev/null
        sleep 0.1
    done
}

# Whether the process that the folder names is alive and is this server. Before it has become that, it is its shell.
moto_running() {
    local pid
    [ -s "$SERVICES_ROOT/moto/pid" ] || return
    pid=$(cat "$SERVICES_ROOT/moto/pid")
    [ -r "/proc/$pid/cmdline" ] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qE 'moto_server$|dev$|bash$'
}
