#!/usr/bin/env bash
# A server of a test's own:
#
#   run-instance.sh start mariadb|mysql FOLDER PORT [OPTION…]
#   run-instance.sh resume FOLDER      starts it again with the same data, port and options
#   run-instance.sh stop|kill FOLDER   politely, or as a power cut would
set -u

# shellcheck source=../services.sh
source "$(dirname "${BASH_SOURCE[0]}")/../services.sh"

services_folder || exit
case "${1:-}" in
start | resume | stop | kill) "instance_$1" "${@:2}" ;;
*) services_fail "usage: run-instance.sh start|resume|stop|kill …" ;;
esac
