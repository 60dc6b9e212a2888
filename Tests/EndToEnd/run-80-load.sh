#!/usr/bin/env bash
# The load generator: its own tests, then every scenario for seconds, each checked by what is exported at its end.
source "$(dirname "$0")/../../Scripts/e2e.sh"
source "$(dirname "$0")/shared.sh"
cd "$(dirname "$0")/../../Benchmarks"

PYTHONPATH=. python3 -W ignore -m unittest discover -s tests
load() { python3 bench.py load --short --no-results --binary "$CAIRN_BIN" "$@"; }
load --scenario A,B,C,D,E,F,G,H,I,J,K,L,P,Q
if require_engine MARIADB; then
    load --scenario M --engine mariadb
fi
