# shellcheck shell=bash
# A certificate authority and what it signed. Sourced.
#
# tls/ca.pem                       the authority
# tls/other-ca.pem                 one that signed nothing in use
# tls/server.pem, -key.pem         for localhost, 127.0.0.1 and ::1
# tls/wrong-host.pem, -key.pem     from the same authority for a name that nobody uses

services_certificates() {
    local folder=$SERVICES_ROOT/tls fresh=$SERVICES_ROOT/tls.new
    # Made again after a month, long before the 90 days are over.
    [ -z "$(find "$folder/complete" -mtime -30 2>/dev/null)" ] || return 0
    services_say "making certificates"
    rm -rf "$fresh" && mkdir -p "$fresh" || return
    certificate_authority "$fresh" ca && certificate_authority "$fresh" other-ca &&
        certificate "$fresh" server "DNS:localhost,IP:127.0.0.1,IP:::1" &&
        certificate "$fresh" wrong-host "DNS:database.invalid" || services_fail "openssl failed" || return
    touch "$fresh/complete"
    rm -rf "$folder" && mv "$fresh" "$folder"
}

certificate_authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=Cairn test $2" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$1/$2-key.pem" -out "$1/$2.pem" 2>/dev/null
}

certificate() {
    local folder=$1 name=$2 names=$3
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=Cairn test $name" \
        -keyout "$folder/$name-key.pem" -out "$folder/$name.csr" 2>/dev/null &&
        openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -CAcreateserial \
            -days 90 -out "$folder/$name.pem" 2>/dev/null \
            -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$names") &&
        rm "$folder/$name.csr"
}
