#!/usr/bin/env bash
# Objects in buckets: what real clients sent gets the recorded answers with state in S3, in Azure Blob Storage and in
# Google Cloud Storage, it is there after a restart, and a bucket that cannot be used stops the start with what to do.
# The services that play Azure and Google are driven with the vendors' own libraries first.
LONG=${CAIRN_LONG:-}
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
HERE=$(cd "$(dirname "$0")" && pwd)
require_shared

ENDPOINT=PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT
S3=(AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=cairn-access AWS_SECRET_ACCESS_KEY=cairn-secret)
AZURE=(AZURE_STORAGE_ACCOUNT=cairntest AZURE_STORAGE_KEY="$(printf 'a key of an account that only tests have' | base64 -w0)")

# The service gives tokens as the metadata service of a machine does.
GOOGLE=()
if [[ -n ${CAIRN_TEST_GOOGLESTORAGE:-} ]]; then GOOGLE=(GCE_METADATA_HOST="${CAIRN_TEST_GOOGLESTORAGE#http://}"); fi

python=$(python_with 'azure-storage-blob==12.*' 'google-cloud-storage==3.*' 'botocore==1.*')
"$python" "$HERE/../Counterparts/check_azure_blob.py"
"$python" "$HERE/../Counterparts/check_google_storage.py"
# What is signed for an identity depends on the service's version; the older library has that of this server's URLs.
older=$(python_with 'azure-storage-blob==12.25.*' 'google-cloud-storage==3.*' 'botocore==1.*')
"$older" "$HERE/../Counterparts/check_azure_blob.py"
"$older" "$HERE/../Counterparts/signed_urls.py"

# make_bucket KIND NAME: prints the settings for a new bucket of that service, one per line.
make_bucket() {
    local kind=$1 name=$2 variable=CAIRN_TEST_${1^^} url
    url=${!variable}
    case $kind in
        seaweedfs | moto)
            curl --silent --show-error --fail --request PUT --aws-sigv4 aws:amz:us-east-1:s3 \
                --user cairn-access:cairn-secret --output /dev/null "$url/$name"
            printf '%s\n' "$ENDPOINT=s3://$name?endpoint=$url&s3ForcePathStyle=true" "${S3[@]}"
            ;;
        azureblob)
            curl --silent --show-error --fail --request PUT --header 'Authorization: Bearer test-token' \
                --header 'Content-Length: 0' "$url/cairntest/$name?restype=container"
            printf '%s\n' "$ENDPOINT=azblob://$name?protocol=http&domain=${url#http://}" "${AZURE[@]}"
            ;;
        googlestorage)
            curl --silent --show-error --fail --request POST --header 'Authorization: Bearer test-token' \
                --json "{\"name\": \"$name\"}" --output /dev/null "$url/storage/v1/b?project=test"
            printf '%s\n' "$ENDPOINT=gs://$name?endpoint=$url" "${GOOGLE[@]}"
            ;;
    esac
}

replay() {
    python3 "$HERE/recordings.py" --url "$CAIRN_URL" --token "$E2E_TOKEN" --replay "$SHARED/recordings/replay.py" "$@"
}

# recordings NAME…: the files of those that are there, one per line.
recordings() {
    local name file
    for name in "$@"; do
        for file in "$SHARED/recordings/$name.jsonl" "$SHARED/recordings/$name.jsonl.gz"; do
            if [[ -f $file ]]; then echo "$file"; fi
        done
    done
}

mapfile -t some < <(recordings account new up up-begin up-delta up-verbatim big big-delta journal-413 edits secrets rewrite)
mapfile -t few < <(recordings account new up-begin up-delta edits)

for kind in seaweedfs moto azureblob googlestorage; do
    require_engine "${kind^^}" || continue
    mapfile -t settings < <(make_bucket "$kind" "cairn-e2e-$$")
    start_cairn "$kind" CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}"
    echo "$kind:"
    if [[ $kind == seaweedfs || -n $LONG ]]; then replay "${some[@]}"; else replay "${few[@]}"; fi
    python3 "$HERE/buckets.py" store --url "$CAIRN_URL" --token "$E2E_TOKEN"
    stop_cairn
    if [[ -e $E2E_FOLDER/$kind/objects ]]; then echo "objects are in a folder as well" && exit 1; fi

    # A server that has nothing in memory finds it again.
    start_cairn "$kind" CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}"
    python3 "$HERE/buckets.py" check --url "$CAIRN_URL" --token "$E2E_TOKEN"
    stop_cairn
done

# Engine events in a bucket of their own, and nowhere else.
if require_engine SEAWEEDFS; then
    echo "events:"
    mapfile -t settings < <(make_bucket seaweedfs "cairn-states-$$")
    mapfile -t other < <(make_bucket seaweedfs "cairn-events-$$")
    events="PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT=${other[0]#*=}"
    start_cairn events CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}" "$events"
    python3 "$HERE/buckets.py" store --url "$CAIRN_URL" --token "$E2E_TOKEN"
    stop_cairn
    start_cairn events CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}"
    if python3 "$HERE/buckets.py" check --url "$CAIRN_URL" --token "$E2E_TOKEN" 2>/dev/null; then
        echo "events are not in the bucket that is theirs" && exit 1
    fi
    stop_cairn
    start_cairn events CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}" "$events"
    python3 "$HERE/buckets.py" check --url "$CAIRN_URL" --token "$E2E_TOKEN"
    stop_cairn
fi

# refuses WORDS VARIABLE=VALUE…: a start that must end with these words.
refuses() {
    local words=$1 log="$E2E_FOLDER/refused.log" variable clean=() status=0
    shift
    for variable in "${!CAIRN_@}"; do clean+=(--unset="$variable"); done
    env "${clean[@]}" CAIRN_DATA="$E2E_FOLDER/refused" PORT="$(free_port)" "$@" timeout 60 "$CAIRN_BIN" serve \
        >"$log" 2>&1 </dev/null || status=$?
    if ((status == 0 || status == 124)) || ! grep -qF -- "$words" "$log"; then
        echo "a start with $* ended with status $status and said:" && cat "$log" && exit 1
    fi
    echo "  refused: $words"
}

# with VARIABLE=VALUE… -- WORD…: a command of cairn on the data folder of the moves.
with() {
    local variable clean=() settings=()
    for variable in "${!CAIRN_@}"; do clean+=(--unset="$variable"); done
    while [[ $1 != -- ]]; do settings+=("$1") && shift; done
    env "${clean[@]}" CAIRN_DATA="$E2E_FOLDER/moved" "${settings[@]}" "$CAIRN_BIN" "${@:2}"
}

# Objects from a folder to S3, from there to Azure, to Google, and back to a folder, each time with the server on the
# new place.
if require_engine SEAWEEDFS && require_engine AZUREBLOB && require_engine GOOGLESTORAGE; then
    keys=("${S3[@]}" "${AZURE[@]}" "${GOOGLE[@]}")
    echo "moves:"
    mapfile -t one < <(make_bucket seaweedfs "cairn-move-$$")
    mapfile -t two < <(make_bucket azureblob "cairn-move-$$")
    mapfile -t three < <(make_bucket googlestorage "cairn-move-$$")
    places=("${one[0]#*=}" "${two[0]#*=}" "${three[0]#*=}" "$E2E_FOLDER/again")
    settings=("PULUMI_LOCAL_OBJECTS=$E2E_FOLDER/moved/objects")
    start_cairn moved CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}"
    python3 "$HERE/buckets.py" store --url "$CAIRN_URL" --token "$E2E_TOKEN"
    for place in "${places[@]}"; do
        # While the server runs, and once more when it has ended.
        with "${keys[@]}" "${settings[@]}" -- move objects --to "$place" | sed 's/^/  /'
        stop_cairn
        with "${keys[@]}" "${settings[@]}" -- move objects --to "$place" >"$E2E_FOLDER/second.log"
        grep -q ' 0 copied' "$E2E_FOLDER/second.log"
        with "${keys[@]}" "${settings[@]}" -- move objects --check --to "$place" | sed 's/^/  /'
        case $place in
            *://*) settings=("$ENDPOINT=$place" "${keys[@]}") ;;
            *) settings=("PULUMI_LOCAL_OBJECTS=$place") ;;
        esac
        rm -rf "$E2E_FOLDER/moved/objects"
        start_cairn moved CAIRN_ORGANIZATION=acme CAIRN_ADMIN_LOGIN=dev "${settings[@]}"
        python3 "$HERE/buckets.py" check --url "$CAIRN_URL" --token "$E2E_TOKEN"
    done
    stop_cairn
    with "$ENDPOINT=${places[0]}" "${S3[@]}" -- check >"$E2E_FOLDER/check.log"
    grep -q 'objects can be listed, written, read and deleted' "$E2E_FOLDER/check.log"
    if with "$ENDPOINT=${places[0]}" "${S3[@]}" -- move objects --to "${places[0]}" 2>/dev/null; then
        echo "a move to where the objects are was taken" && exit 1
    fi
fi

echo "refusals:"
if require_engine SEAWEEDFS; then
    url="s3://cairn-e2e-missing?endpoint=$CAIRN_TEST_SEAWEEDFS&s3ForcePathStyle=true"
    refuses "the bucket s3://cairn-e2e-missing: it does not exist" "${S3[@]}" "$ENDPOINT=$url"
    mapfile -t usable < <(make_bucket seaweedfs "cairn-first-$$")
    for purpose in ENGINE_EVENTS SERVICE_METADATA POLICY_PACK; do
        refuses "PULUMI_${purpose}_BLOB_STORAGE_ENDPOINT: the bucket s3://cairn-e2e-missing: it does not exist" \
            "${usable[@]}" "PULUMI_${purpose}_BLOB_STORAGE_ENDPOINT=$url"
    done
    refuses "check AWS_SECRET_ACCESS_KEY" "${S3[@]}" AWS_SECRET_ACCESS_KEY=wrong "$ENDPOINT=$url"
    refuses "cannot be reached" "${S3[@]}" "$ENDPOINT=s3://states?endpoint=127.0.0.1:1&disableSSL=true"
fi
if require_engine GOOGLESTORAGE; then
    url="gs://cairn-e2e-missing?endpoint=$CAIRN_TEST_GOOGLESTORAGE"
    refuses "the bucket gs://cairn-e2e-missing: it does not exist" "${GOOGLE[@]}" "$ENDPOINT=$url"
    refuses "no token is sent to it" "$ENDPOINT=gs://states?anonymous=true&endpoint=$CAIRN_TEST_GOOGLESTORAGE"
fi
refuses "needs a region" "$ENDPOINT=s3://states"
refuses "the parameter 'colour' is unknown" "${S3[@]}" "$ENDPOINT=s3://states?colour=red"
