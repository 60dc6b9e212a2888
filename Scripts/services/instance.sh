# shellcheck shell=bash
# One server in one folder. Sourced; run-instance.sh is its program.
#
# The folder gets the log, the process id and the socket; the data is in it as well or, for the shared servers, beside
# the template. Beside the server's own options there are --certificate=wrong-host for the other certificate and
# --no-tls for none.

instance_start() {
    local kind=$1 folder=$2 port=$3
    shift 3
    mkdir -p "$folder" || return
    echo "$kind" >"$folder/kind"
    echo "$port" >"$folder/port"
    printf '%s\n' "$@" >"$folder/options"
    if [ "$folder" = "$SERVICES_ROOT/$kind" ]; then
        echo "$SERVICES_DATA/$kind" >"$folder/data-path"
    else
        echo "$folder/data" >"$folder/data-path"
    fi
    local data
    data=$(cat "$folder/data-path")
    rm -rf "$data" "$data.tmp"
    cp -r --reflink=auto "$SERVICES_DATA/template-$kind" "$data" || return
    instance_resume "$folder"
}

instance_resume() {
    local folder=$1 kind data port socket option began=$SECONDS
    local -a command options
    instance_running "$folder" && return
    kind=$(cat "$folder/kind")
    data=$(cat "$folder/data-path")
    port=$(cat "$folder/port")
    # A socket's path must fit into 107 bytes.
    socket=$folder/socket
    [ ${#socket} -le 100 ] || socket=$data/socket
    mapfile -t command < <(server_command "$kind")
    options=(--datadir="$data" --port="$port" --socket="$socket" --pid-file="$folder/pid" --bind-address=127.0.0.1)
    # A MariaDB that starts removes the temporary tables of every other one that shares its folder for them.
    mkdir -p "$data.tmp" || return
    options+=(--tmpdir="$data.tmp")
    local certificate=server
    while IFS= read -r option; do
        case $option in
        "") ;;
        --certificate=*) certificate=${option#*=} ;;
        --no-tls) certificate= ;;
        *) options+=("$option") ;;
        esac
    done <"$folder/options"
    if [ -n "$certificate" ]; then
        options+=(--ssl-ca="$SERVICES_ROOT/tls/ca.pem" --ssl-cert="$SERVICES_ROOT/tls/$certificate.pem"
            --ssl-key="$SERVICES_ROOT/tls/$certificate-key.pem")
    fi
    # A killed server leaves its socket's lock, with a number that init may not have given up yet.
    rm -f "$folder/pid" "$socket" "$socket.lock"
    echo "== start" >>"$folder/log"
    server_detached "$folder/log" "${command[@]}" "${options[@]}" &
    local child=$!
    instance_wait "$folder" "$port" "$child" || return
    services_say "$kind listens on 127.0.0.1:$port after $((SECONDS - began)) s"
}

# Becomes the server: in a session of its own, and without any descriptor of the caller, who may wait for its end.
server_detached() {
    local log=$1 descriptor
    shift
    for descriptor in /proc/self/fd/*; do
        descriptor=${descriptor##*/}
        [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
    done
    exec setsid "$@" </dev/null >>"$log" 2>&1
}

# Waits until the server greets, at most four minutes: on a slow disk a killed one needs its time.
instance_wait() {
    local folder=$1 port=$2 child=$3 deadline=$((SECONDS + 240))
    while [ $SECONDS -lt $deadline ]; do
        if ! kill -0 "$child" 2>/dev/null; then
            tail -n 20 "$folder/log" >&2
            services_fail "the server in $folder ended while it started; the end of its log is above"
            return
        fi
        [ -s "$folder/pid" ] && server_greets "$port" && return
        sleep 0.05
    done
    tail -n 20 "$folder/log" >&2
    services_fail "the server in $folder did not answer within 240 s; the end of its log is above"
}

# A greeting is a packet whose fifth byte is the protocol's version, 10.
# shellcheck disable=SC2016
server_greets() {
    [ "$(timeout 2 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && head -c 5 <&3 | od -An -tu1 -j4' "$1" 2>/dev/null |
        tr -d ' ')" = 10 ]
}

# Whether the process that the folder names is alive and is the server of this folder.
instance_running() {
    local folder=$1 pid data
    [ -s "$folder/pid" ] && [ -s "$folder/data-path" ] || return
    pid=$(cat "$folder/pid")
    data=$(cat "$folder/data-path")
    [ -r "/proc/$pid/cmdline" ] && tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "--datadir=$data"
}

instance_stop() {
    instance_end "$1" TERM 30 || instance_end "$1" KILL 10 || services_fail "the server in $1 does not end"
}

instance_kill() {
    instance_end "$1" KILL 10
}

instance_end() {
    local folder=$1 signal=$2 deadline=$((SECONDS + $3)) pid
    instance_running "$folder" || return 0
    pid=$(cat "$folder/pid")
    kill -s "$signal" "$pid" 2>/dev/null
    while instance_running "$folder"; do
        [ $SECONDS -lt $deadline ] || return
        sleep 0.05
    done
}

# --- Kinds of servers ------------------------------------------------------------------------------------------------

# The program and the options that every instance has, one per line. Small buffers; flushing stays at its default, which
# is the durable one.
server_command() {
    local kind=$1 tree loader
    case $kind in
    mariadb)
        printf '%s\n' "$(mariadb_program mariadbd)" --no-defaults --innodb-log-file-size=16M --skip-log-bin
        ;;
    mysql)
        tree=$(mysql_tree) || return
        loader=$(find "$tree/usr/lib64" "$tree"/usr/lib -maxdepth 2 -name 'ld-linux*' 2>/dev/null | head -n 1)
        printf '%s\n' "$loader" --library-path "$(echo "$tree"/usr/lib/*-linux-gnu)" "$tree/usr/sbin/mysqld" \
            --no-defaults --basedir="$tree/usr" --lc-messages-dir="$tree/usr/share/mysql" \
            --plugin-dir="$tree/usr/lib/mysql/plugin" --mysqlx=OFF --secure-file-priv=NULL \
            --innodb-redo-log-capacity=32M --disable-log-bin
        ;;
    esac
    printf '%s\n' --user="$(id -un)" --innodb-buffer-pool-size=48M --performance-schema=OFF --max-connections=200 \
        --max-allowed-packet=16M --skip-name-resolve
}

# A data folder with the test accounts in it, from which each server starts as a copy.
services_template() {
    local kind=$1 template=$SERVICES_DATA/template-$1 log=$SERVICES_ROOT/template-$1.log
    local -a command
    [ ! -d "$template" ] || return 0
    services_say "preparing a data folder for $kind"
    rm -rf "$template.new" && mkdir -p "$template.new" || return
    mapfile -t command < <(server_command "$kind")
    accounts "$kind" >"$SERVICES_ROOT/accounts-$kind.sql" || return
    case $kind in
    mariadb)
        mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$template.new" --skip-test-db \
            --auth-root-authentication-method=normal --innodb-log-file-size=16M >"$log" 2>&1 </dev/null &&
            { echo "USE mysql;"; echo "FLUSH PRIVILEGES;"; cat "$SERVICES_ROOT/accounts-$kind.sql"; } |
            "${command[@]}" --datadir="$template.new" --bootstrap >>"$log" 2>&1
        ;;
    mysql)
        "${command[@]}" --datadir="$template.new" --initialize-insecure \
            --init-file="$SERVICES_ROOT/accounts-$kind.sql" >"$log" 2>&1 </dev/null &&
            # Each copy makes an identity of its own.
            rm -f "$template.new/auto.cnf"
        ;;
    esac || { tail -n 20 "$log" >&2; services_fail "$kind cannot prepare its data folder; see above"; return; }
    if grep -q '\[ERROR\]' "$log"; then
        grep '\[ERROR\]' "$log" >&2
        services_fail "$kind prepared its data folder with errors; see above" || return
    fi
    mv "$template.new" "$template"
}

# cairn            what the service is: every right on its own databases, none on the server
# cairn_admin      for tests that change the server
# cairn_nasty      a password of characters that need quoting everywhere
# cairn_empty      none
# cairn_sha256     on MySQL, the older of its two hashed methods
accounts() {
    local kind=$1 nasty empty="" plain="IDENTIFIED BY '$SERVICES_PASSWORD'"
    nasty=${SERVICES_NASTY_PASSWORD//\\/\\\\}
    nasty=${nasty//\'/\\\'}
    cat <<END
CREATE USER 'cairn'@'127.0.0.1' $plain;
CREATE USER 'cairn_admin'@'127.0.0.1' $plain;
CREATE USER 'cairn_nasty'@'127.0.0.1' IDENTIFIED BY '$nasty';
CREATE USER 'cairn_empty'@'127.0.0.1' $empty;
GRANT ALL PRIVILEGES ON *.* TO 'cairn_admin'@'127.0.0.1' WITH GRANT OPTION;
END
    local account accounts="cairn cairn_nasty cairn_empty"
    if [ "$kind" = mysql ]; then
        accounts+=" cairn_sha256"
        echo "CREATE USER 'cairn_sha256'@'127.0.0.1' IDENTIFIED WITH sha256_password BY '$SERVICES_PASSWORD';"
    fi
    for account in $accounts; do
        echo "GRANT ALL PRIVILEGES ON \`cairn\\_%\`.* TO '$account'@'127.0.0.1';"
    done
}
