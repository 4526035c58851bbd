#!/usr/bin/env bash
# Installs what is missing of tools/packages.txt and of package.json, after saying what.
# Usage: tools/setup.sh run|test
set -euo pipefail
cd "$(dirname "$0")/.."
level=${1:-run}

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }
# Node.js from elsewhere serves as well, from version 18.
node_is_there() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]
}

missing=()
while read -r package needed_by; do
    case "$package" in '' | '#'*) continue ;; esac
    [ "$needed_by" = run ] || [ "$level" = test ] || continue
    case "$package" in nodejs | npm) node_is_there && continue ;; esac
    installed "$package" || missing+=("$package")
done <tools/packages.txt

if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            echo "These packages are missing and there is neither root nor sudo to install them." >&2
            exit 1
        }
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends "${missing[@]}" >/dev/null
fi

# npm ci only when the lock file changed since the last time.
if ! cmp -s package-lock.json node_modules/.installed-lock; then
    echo "Installing npm packages: $(node -p 'const p=require("./package.json");Object.keys({...p.dependencies,...p.devDependencies}).join(" ")')"
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed-lock
fi
