# shellcheck shell=bash
# What must be on the machine: the Swift toolchain and Debian packages. Nothing is built before it was checked.

SWIFT_FLOOR=6.2

require_swift() {
    local text version
    command -v swift >/dev/null ||
        fail "no 'swift' on PATH; Cairn needs Swift $SWIFT_FLOOR or newer: https://www.swift.org/install/linux/"
    text=$(swift --version 2>/dev/null) || fail "'swift --version' failed: the toolchain at $(command -v swift) is broken"
    version=$(sed -nE 's/.*Swift version ([0-9]+\.[0-9]+(\.[0-9]+)?).*/\1/p' <<<"$text" | head -n 1)
    [[ -n $version ]] || fail "cannot read a version out of 'swift --version': $text"
    if [[ $(printf '%s\n%s\n' "$SWIFT_FLOOR" "$version" | sort -V | head -n 1) != "$SWIFT_FLOOR" ]]; then
        fail "found Swift $version at $(command -v swift); Cairn needs $SWIFT_FLOOR or newer"
    fi
}

# The package that has Boost.Beast ≥ 1.81: Debian 12 keeps it beside its older default.
boost_package() {
    local id version
    id=$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null | tr -d '"')
    version=$(sed -n 's/^VERSION_ID=//p' /etc/os-release 2>/dev/null | tr -d '"')
    if [[ $id == debian && $version == 12 ]]; then echo libboost1.81-dev; else echo libboost-dev; fi
}

# packages_for PURPOSE…: one package per line; `a|b` means that either will do and the first is installed.
#
# The C libraries are read from Package.swift. The shims over C++ libraries cannot name theirs there, so they are here.
packages_for() {
    local purpose
    for purpose in "$@"; do
        case $purpose in
            build)
                sed -nE '/^func /d; s/.*apt: "([^"]+)".*/\1/p' Package.swift
                boost_package
                printf '%s\n' libcurl4-openssl-dev g++ libc6-dev 'pkgconf|pkg-config' git ca-certificates
                ;;
            test)
                printf '%s\n' clang-format curl openssl python3 python3-venv procps
                printf '%s\n' mariadb-server-core mariadb-client-core
                ;;
            bench) printf '%s\n' wrk gcc python3 ;;
        esac
    done | sort -u
}

# Prints the name to install for each package of standard input that dpkg does not have.
missing_packages() {
    local installed choices choice found
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    while read -r choices; do
        found=
        for choice in ${choices//|/ }; do
            if grep -qxF -- "$choice" <<<"$installed"; then found=yes; fi
        done
        [[ -n $found ]] || echo "${choices%%|*}"
    done
}

# require_packages PURPOSE…: installs what is missing as root; otherwise names it, with the one line to run.
require_packages() {
    local missing
    [[ -z ${CAIRN_SKIP_PACKAGES:-} ]] || return 0
    if ! command -v dpkg-query >/dev/null; then
        say "This system has no dpkg, so packages cannot be compared. Cairn needs what these Debian packages hold:"
        packages_for "$@" | sed 's/^/  /'
        fail "install them, then run again with CAIRN_SKIP_PACKAGES=1"
    fi
    mapfile -t missing < <(packages_for "$@" | missing_packages)
    ((${#missing[@]} > 0)) || return 0
    if ((EUID != 0)); then
        say "These Debian packages are missing: ${missing[*]}"
        say "Install them with:"
        say "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${missing[*]}"
        fail "nothing was built"
    fi
    say "Installing Debian packages: ${missing[*]}"
    run_logged packages install_packages "${missing[@]}"
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

# require FOR…: the check in front of every command.
require() {
    require_swift
    require_packages "$@"
}
