#!/usr/bin/env bash
# Puts the Wycheproof test vectors that apply into build/vectors. No package that can be installed has
# them all; the Debian source package of Android's BoringSSL does. Downloads it once, about 30 MB, with
# lists of its own: the system's apt is left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
source_package=android-platform-external-boringssl
files=(eddsa_test.json x25519_test.json xchacha20_poly1305_test.json)
to=$PWD/build/vectors

complete() { for file in "${files[@]}"; do [ -s "$to/$file" ] || return 1; done; }
complete && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$to"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# Where the system takes Debian from.
mirror=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Codename: bookworm' 'Component: main' |
    head -1)
[ -n "$mirror" ] || { echo "apt has no lists of Debian 12: run apt-get update first." >&2 && exit 1; }
echo "deb-src [signed-by=$keyring] $mirror bookworm main" >"$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=$(id -un)")
echo "Fetching the Debian source package $source_package for its test vectors"
"${apt[@]}" update
(cd "$work" && "${apt[@]}" source --download-only "$source_package" >/dev/null)
tar -xf "$work/$source_package"_*.orig.tar.* -C "$work" --wildcards --strip-components=4 \
    "${files[@]/#/*/src/third_party/wycheproof_testvectors/}"
for file in "${files[@]}"; do install -m 0644 "$work/$file" "$to/$file"; done
complete
