# shellcheck shell=bash
# Gets the servers. Sourced.
#
# MariaDB is a package of the machine. MySQL is in no stable Debian, so the one of the unstable suite is unpacked, with
# its own C library, into a folder that nothing else looks at; it is started by that library's loader. Nothing of it is
# installed, and no right of root is needed.

SERVICES_SUITE=sid

services_packages() {
    local missing=() kind
    for kind in $(services_kinds); do
        case $kind in
        mariadb)
            [ -n "$(mariadb_program mariadbd)" ] || missing+=(mariadb-server-core)
            [ -n "$(mariadb_program my_print_defaults)" ] || missing+=(mariadb-client-core)
            ;;
        mysql | moto | seaweedfs | azureblob | azurevault | googlekms | googlestorage | vault) ;;
        *) services_fail "unknown server '$kind' in CAIRN_SERVICES" || return ;;
        esac
    done
    command -v openssl >/dev/null || missing+=(openssl)
    if [ ${#missing[@]} -gt 0 ]; then services_install "${missing[@]}" || return; fi
    if [[ " $(services_kinds) " == *" mysql "* ]]; then mysql_unpack || return; fi
    for kind in $(services_kinds); do
        if is_cloud "$kind"; then cloud_install "$kind" || return; fi
    done
}

services_install() {
    if [ "$(id -u)" -ne 0 ]; then
        services_fail "missing packages; run: sudo apt-get install --no-install-recommends $*" || return
    fi
    services_say "installing $*"
    local log=$SERVICES_ROOT/apt.log
    local -a command=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@")
    if "${command[@]}" >"$log" 2>&1 </dev/null; then return; fi
    # A machine that is new knows no packages yet.
    if apt-get update >"$log" 2>&1 </dev/null && "${command[@]}" >>"$log" 2>&1 </dev/null; then return; fi
    tail -n 20 "$log" >&2
    services_fail "apt-get could not install $*"
}

mariadb_program() {
    local folder
    for folder in /usr/sbin /usr/bin /usr/local/sbin /usr/local/bin; do
        if [ -x "$folder/$1" ]; then
            echo "$folder/$1"
            return
        fi
    done
    command -v "$1" || true
}

services_cache() {
    echo "${CAIRN_SERVICES_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/cairn/services}"
}

# The newest unpacked tree, if there is one.
mysql_tree() {
    local tree
    tree=$(printf '%s\n' "$(services_cache)"/mysql-*/complete | sort -V | tail -n 1)
    [ -e "$tree" ] && echo "${tree%/complete}"
}

mysql_unpack() {
    mysql_tree >/dev/null && return
    local cache
    cache=$(services_cache)
    mkdir -p "$cache" || return
    # Two clones that start at once share one download.
    (
        flock 9 || exit
        mysql_tree >/dev/null || mysql_fetch "$cache"
    ) 9>"$cache/lock"
}

mysql_fetch() {
    local cache=$1 apt=$1/apt log=$1/apt.log began=$SECONDS package version tree
    services_say "fetching MySQL from Debian's $SERVICES_SUITE suite"
    mysql_apt_folder "$apt" || return
    export APT_CONFIG=$apt/apt.conf
    if ! apt-get update >"$log" 2>&1 </dev/null ||
        ! apt-get install -y --download-only --no-install-recommends mysql-server-core >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        services_fail "MySQL cannot be fetched; CAIRN_SERVICES=mariadb starts without it" || return
    fi
    version=$(apt-cache show --no-all-versions mysql-server-core | sed -n 's/^Version: //p')
    tree=$cache/mysql-${version//[^0-9a-zA-Z.-]/_}
    rm -rf "$tree.new" && mkdir -p "$tree.new" || return
    for package in "$apt"/cache/archives/*.deb; do
        # Needed by its scripts only, not by the server.
        case ${package##*/} in perl* | libperl* | libgdbm*) continue ;; esac
        dpkg-deb -x "$package" "$tree.new" || return
    done
    rm -rf "$tree.new"/usr/share/{doc,man,locale} "$tree" "$apt"
    touch "$tree.new/complete"
    mv "$tree.new" "$tree" || return
    services_say "MySQL $version unpacked after $((SECONDS - began)) s"
}

# A package manager's world of its own: the machine's mirror, keys and proxies, another suite, nothing installed.
mysql_apt_folder() {
    local apt=$1 mirror
    mirror=$(machine_mirror)
    [ -n "$mirror" ] || services_fail "this machine's package manager names no Debian mirror" || return
    rm -rf "$apt"
    mkdir -p "$apt"/{etc,state/lists/partial,cache/archives/partial} || return
    : >"$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $SERVICES_SUITE main" >"$apt/sources.list"
    {
        apt-config dump | grep '^Acquire' | grep -v '::IndexTargets'
        cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$apt/etc";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$apt/etc";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/etc";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "$(id -un)";
END
    } >"$apt/apt.conf"
}

# Where this machine gets Debian's main archive from.
# shellcheck disable=SC2016
machine_mirror() {
    local fields='$(REPO_URI) $(RELEASE) $(COMPONENT)'
    apt-get indextargets --no-release-info --format "$fields" 'Created-By: Packages' 2>/dev/null |
        awk '$3 == "main" && $2 !~ /security|updates|backports/ && $1 ~ /debian/ { print $1; exit }'
}
