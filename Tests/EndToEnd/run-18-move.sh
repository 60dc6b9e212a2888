#!/usr/bin/env bash
# All rows from SQLite to MariaDB and MySQL and back, and moves that are interrupted; move.py has the tests.
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
export E2E_FOLDER
require_engine MARIADB || true
require_engine MYSQL || true
python3 "$(dirname "$0")/move.py"
