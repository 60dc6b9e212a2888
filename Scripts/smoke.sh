#!/usr/bin/env bash
# The shortest proof that a build works: it starts, becomes ready, knows its administrator, and ends when asked.
set -euo pipefail
# shellcheck source=Scripts/e2e.sh
source "$(dirname "$0")/e2e.sh"

start_cairn smoke
call GET /api/user
stop_cairn "$CAIRN_PID"
