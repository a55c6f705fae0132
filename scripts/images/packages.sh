#!/bin/bash
# packages.sh SUITE DEST PACKAGE...
# Unpacks packages of a Debian suite (trixie, forky), and all that they depend on, into DEST/root, on any machine of the
# Debian family: needs no root, installs nothing and leaves the machine's own apt state alone. apt resolves the packages
# and checks their signatures in a folder of its own. DEST/packages/NAME holds a package's control fields in `control`,
# and the paths it brought in `files`.
# Prints progress on stdout; on failure its last line on stderr is the reason.
set -euo pipefail

fail() { echo "$*" >&2; exit 1; }
. "${0%/*}/../debian.sh"

[ $# -ge 3 ] || fail "usage: packages.sh SUITE DEST PACKAGE..."
suite=$1 dest=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
apt=$dest/apt root=$dest/root

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || fail "$tool is missing: this needs a machine of the Debian family"
done

open_suite "$suite" "$apt"
download_packages "$apt" "$@"
mkdir -p "$root"

echo "unpacking"
for archive in "$apt"/archives/*.deb; do
  info=$dest/packages/$(dpkg-deb --field "$archive" Package)
  mkdir -p "$info"
  dpkg-deb --field "$archive" >"$info/control" &&
    dpkg-deb --fsys-tarfile "$archive" | tar -t >"$info/files" &&
    dpkg-deb --extract "$archive" "$root" ||
    fail "$(basename "$archive") can't be unpacked: check the free space in $dest"
done
rm -rf "$apt"
