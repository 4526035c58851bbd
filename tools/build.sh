#!/usr/bin/env bash
# Builds one preset and the web assets. Usage: tools/build.sh PRESET [target ...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
# Another checkout of the same sources finds what this one compiled.
export CCACHE_SLOPPINESS=time_macros CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

web_stamp=build/web/.sources
web_sources=$(find web package-lock.json -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$web_stamp" 2>/dev/null)" != "$web_sources" ]; then
    echo "Building the web assets"
    npm run --silent build
    echo "$web_sources" >"$web_stamp"
fi

if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >"/tmp/cloison-configure.$$" || {
        cat "/tmp/cloison-configure.$$"
        exit 1
    }
    rm -f "/tmp/cloison-configure.$$"
fi
cmake --build "build/$preset" ${1:+--target "$@"}
