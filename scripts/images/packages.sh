#!/bin/bash
# packages.sh SUITE DEST PACKAGE...
# Unpacks packages of a Debian suite (trixie, forky), and all that they depend on, into DEST/root, on any machine of the
# Debian family: needs no root, installs nothing and leaves the machine's own apt state alone. apt resolves the packages
# and checks their signatures in a folder of its own. DEST/packages/NAME holds a package's control fields in `control`,
# and the paths it brought in `files`.
# Prints progress on stdout; on failure its last line on stderr is the reason.
set -euo pipefail

fail() { echo "$*" >&2; exit 1; }

[ $# -ge 3 ] || fail "usage: packages.sh SUITE DEST PACKAGE..."
suite=$1 dest=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
apt=$dest/apt root=$dest/root

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || fail "$tool is missing: this needs a machine of the Debian family"
done

# The mirror this machine itself uses, whatever its suite; apt names it without having fetched any list.
mirror_ending() { apt-get update --print-uris | sed -nE "s#^'([^']*/$1)/+dists/.*#\1#p" | head -n 1; }
mirror=${DEBIAN_MIRROR:-$(mirror_ending debian)}
security=${DEBIAN_SECURITY_MIRROR:-$(mirror_ending debian-security)}
[ -n "$mirror" ] || fail "apt knows no Debian mirror: set DEBIAN_MIRROR to one"

keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2>/dev/null | head -n 1 || true)
[ -n "$keyring" ] || fail "Debian's signing keys are missing: install debian-archive-keyring"

mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/log" "$root"
: >"$apt/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
# Testing gets its security fixes through the suite itself.
if [ "$suite" != forky ] && [ -n "$security" ]; then
  echo "deb [signed-by=$keyring] $security $suite-security main" >>"$apt/sources.list"
fi

# Read after the machine's own configuration, so its proxy and certificates hold, but none of its hooks run.
cat >"$apt/apt.conf" <<CONF
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::Status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::Archives "$apt/archives";
Dir::Log "$apt/log";
Debug::NoLocking "true";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
CONF

echo "reading the package list of $suite"
apt-get -c "$apt/apt.conf" -qq update || fail "the package list of $suite can't be read from $mirror: check the network"

echo "downloading $*"
apt-get -c "$apt/apt.conf" -qq -y --no-install-recommends --download-only install "$@" >/dev/null ||
  fail "$* can't be downloaded from $mirror: check the network and the free space in $dest"

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
