#!/usr/bin/env bash
# Runs every benchmark of a release build and prints one line of JSON a figure.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=build/release/bin
"$bin/journal_bench"
"$bin/fsck_bench"
"$bin/keeper_bench"

scratch=$(mktemp -d /tmp/cl-XXXXXX)
serve=
trap '[ -z "$serve" ] || { kill -INT "$serve"; wait "$serve"; } || true; rm -rf "$scratch"' EXIT
"$bin/cloison" init --var "$scratch/var" --portal-port 18080 --desk-port 18081 --outbox-port 18082
"$bin/cloison" population --var "$scratch/var" --residents 200 >/dev/null 2>&1
mkfifo "$scratch/out"
"$bin/cloison" serve --demo --var "$scratch/var" >"$scratch/out" 2>"$scratch/log" &
serve=$!
grep -q outbox "$scratch/out"
"$bin/pages_bench" http://127.0.0.1:18080 "$scratch/var/demo.json"
