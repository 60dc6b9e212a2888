#!/usr/bin/env bash
# The process from outside: first start, settings, ports, folders, keys, TLS, stopping.
source "$(dirname "$0")/../../Scripts/e2e.sh"

fail() {
    echo "FAILED: $1"
    exit 1
}

# cairn_once NAME [VARIABLE=VALUE…] -- ARGUMENT…: runs the program to its end; sets STATUS and OUTPUT.
cairn_once() {
    local name=$1 clean=() settings=() variable
    shift
    for variable in "${!CAIRN_@}"; do clean+=(--unset="$variable"); done
    while [[ $1 != -- ]]; do settings+=("$1") && shift; done
    shift
    STATUS=0
    OUTPUT=$(env "${clean[@]}" CAIRN_DATA="$E2E_FOLDER/$name" "${settings[@]}" timeout 20 "$CAIRN_BIN" "$@" 2>&1 </dev/null) ||
        STATUS=$?
}

expect_status() { [[ $STATUS == "$1" ]] || fail "$2: ended with $STATUS instead of $1: $OUTPUT"; }
expect_text() { [[ $OUTPUT == *"$1"* ]] || fail "$2: says nothing of '$1': $OUTPUT"; }
refuse_text() { [[ $OUTPUT != *"$1"* ]] || fail "$2: shows '$1'"; }

# --- The first start shows the token once, and keeps only its hash.
start_cairn first CAIRN_ADMIN_TOKEN=
token=$(grep -o 'pul-[0-9a-f]\{40\}' "$CAIRN_LOG" | head -n 1)
[[ -n $token ]] || fail "the first start shows no token"
curl --silent --fail --output /dev/null --header "Authorization: token $token" "$CAIRN_URL/api/user" ||
    fail "the token that was shown is refused"
stop_cairn
! grep --quiet --recursive --binary-files=text "$token" "$E2E_FOLDER/first" || fail "the token is stored as it is"
: >"$CAIRN_LOG"
start_cairn first CAIRN_ADMIN_TOKEN=
! grep --quiet 'pul-[0-9a-f]\{40\}' "$CAIRN_LOG" || fail "a later start shows a token"
curl --silent --fail --output /dev/null --header "Authorization: token $token" "$CAIRN_URL/api/user" ||
    fail "the token is refused after a restart"

# --- A second server on the same folder, and one on the same port.
cairn_once first PORT="$(free_port)" -- serve
expect_status 69 "a second server on the same folder"
expect_text first "a second server on the same folder"
cairn_once other PORT="${CAIRN_URL##*:}" -- serve
expect_status 69 "a port in use"
expect_text "already in use" "a port in use"
stop_cairn

# --- Wrong settings: all of them at once, never a secret.
cairn_once wrong PORT=70000 CAIRN_STOP_GRACE=soon CAIRN_ADMIN_LOGIN=x CAIRN_ORGANISATION=acme \
    API_TLS_CERTIFICATE=/nowhere/cert.pem PULUMI_DATABASE_ENDPOINT='db:port' DATABASE_MIN_TLS_VERSION=1.2 \
    CAIRN_ADMIN_TOKEN='has blanks in it' -- serve
expect_status 78 "wrong settings"
for variable in PORT CAIRN_STOP_GRACE CAIRN_ADMIN_LOGIN CAIRN_ORGANISATION API_TLS_CERTIFICATE \
    PULUMI_DATABASE_ENDPOINT CAIRN_ADMIN_TOKEN; do
    expect_text "$variable" "wrong settings"
done
refuse_text "has blanks" "wrong settings"
[[ ! -e $E2E_FOLDER/wrong ]] || fail "wrong settings: the data folder was made all the same"
cairn_once wrong PORT=8443 API_TLS_CERTIFICATE=/nowhere/cert.pem -- check
expect_status 78 "cairn check of wrong settings"

# --- A folder that cannot be written to.
if ((EUID == 0)); then
    mkdir -p "$E2E_FOLDER/closed" && chmod 755 "$E2E_FOLDER" && chmod 700 "$E2E_FOLDER/closed"
    STATUS=0
    OUTPUT=$(setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH="$PATH" \
        CAIRN_DATA="$E2E_FOLDER/closed" PORT="$(free_port)" timeout 20 "$CAIRN_BIN" serve 2>&1 </dev/null) || STATUS=$?
    expect_status 69 "an unwritable data folder"
    expect_text "$E2E_FOLDER/closed" "an unwritable data folder"
fi

# --- Another master key is refused before anything is written.
start_cairn keyed
call POST /api/stacks/main/keys '{"stackName":"dev"}' >/dev/null
call POST /api/stacks/main/keys/dev/encrypt '{"plaintext":"aGk="}' >/dev/null
stop_cairn
mkdir "$E2E_FOLDER/otherkey" && head -c 32 /dev/urandom >"$E2E_FOLDER/otherkey/key"
cairn_once keyed PORT="$(free_port)" PULUMI_LOCAL_KEYS="$E2E_FOLDER/otherkey/key" -- serve
[[ $STATUS != 0 ]] || fail "another key is taken"
expect_text "is not the one" "another key"

# --- Commands.
cairn_once plan -- migrate plan
expect_status 0 "migrate plan"
expect_text identity "migrate plan"
cairn_once plan -- migrate up
expect_status 0 "migrate up"
cairn_once plan -- migrate plan
expect_text "up to date" "migrate plan after up"
cairn_once plan -- routes
expect_text "/api/stacks/{orgName}/{projectName}/{stackName}/rename" "routes"
cairn_once plan -- servee
expect_status 64 "an unknown command"
expect_text "did you mean 'serve'" "an unknown command"

# --- TLS.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$E2E_FOLDER/key.pem" -out "$E2E_FOLDER/cert.pem" 2>/dev/null
openssl genrsa -out "$E2E_FOLDER/wrong-key.pem" 2048 2>/dev/null
cairn_once tls PORT="$(free_port)" API_TLS_CERTIFICATE="$E2E_FOLDER/cert.pem" \
    API_TLS_PRIVATE_KEY="$E2E_FOLDER/wrong-key.pem" API_MIN_TLS_VERSION=1.2 -- serve
[[ $STATUS != 0 ]] || fail "a key that does not match its certificate is taken"
port=$(free_port)
clean=()
for variable in "${!CAIRN_@}"; do clean+=(--unset="$variable"); done
env "${clean[@]}" CAIRN_DATA="$E2E_FOLDER/tls" PORT="$port" CAIRN_ADMIN_TOKEN="$E2E_TOKEN" API_TLS_CERTIFICATE="$E2E_FOLDER/cert.pem" \
    API_TLS_PRIVATE_KEY="$(cat "$E2E_FOLDER/key.pem")" API_MIN_TLS_VERSION=1.2 "$CAIRN_BIN" serve \
    >"$E2E_FOLDER/tls.log" 2>&1 </dev/null &
E2E_PIDS+=("$!")
tls=$!
for _ in $(seq 100); do
    if curl --silent --fail --cacert "$E2E_FOLDER/cert.pem" --output /dev/null "https://127.0.0.1:$port/readyz"; then
        break
    fi
    sleep 0.1
done
curl --silent --fail --cacert "$E2E_FOLDER/cert.pem" --output /dev/null "https://127.0.0.1:$port/readyz" ||
    fail "TLS: no answer: $(tail -n 5 "$E2E_FOLDER/tls.log")"
! curl --silent --fail --tls-max 1.1 --cacert "$E2E_FOLDER/cert.pem" --output /dev/null "https://127.0.0.1:$port/readyz" ||
    fail "TLS 1.1 is taken"
stop_cairn "$tls"

# --- Every answer names its request; a stranger is told to log in.
start_cairn answers
headers=$(curl --silent --dump-header - --output "$E2E_FOLDER/body" "$CAIRN_URL/api/user")
grep --quiet --ignore-case '^x-pulumi-request-id: ' <<<"$headers" || fail "an answer names no request"
grep --quiet '"code":401' "$E2E_FOLDER/body" || fail "a stranger is not told to log in: $(cat "$E2E_FOLDER/body")"
stop_cairn
echo "first start, settings, folders, keys, commands, TLS and stopping are as they should be"
