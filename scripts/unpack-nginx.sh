#!/bin/bash
# unpack-nginx.sh SUITE DEST
# Brings nginx with its njs module from a Debian suite (trixie, forky) into DEST, for any Debian-family
# machine: needs no root, installs nothing and leaves the machine's own apt state alone. apt resolves the
# packages and checks their signatures in folders of its own; what they link to, libc included, comes along,
# so DEST/nginx starts through its own loader and runs on older systems too.
# Prints progress on stdout; on failure its last line on stderr is the reason.
set -euo pipefail

fail() { echo "$*" >&2; exit 1; }

[ $# -eq 2 ] || fail "usage: unpack-nginx.sh SUITE DEST"
suite=$1 dest=$(mkdir -p "$2" && cd "$2" && pwd)
apt=$dest/apt root=$dest/root

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || fail "$tool is missing, so nginx can't be unpacked: install nginx with njs 0.8.5 or newer and name it in NGINX_BIN"
done

# The mirror this machine itself uses, whatever its suite; apt names it without having fetched any list.
mirror_ending() { apt-get update --print-uris | sed -nE "s#^'([^']*/$1)/+dists/.*#\1#p" | head -n 1; }
mirror=${DEBIAN_MIRROR:-$(mirror_ending debian)}
security=${DEBIAN_SECURITY_MIRROR:-$(mirror_ending debian-security)}
[ -n "$mirror" ] || fail "apt knows no Debian mirror: set DEBIAN_MIRROR to one, or name an nginx in NGINX_BIN"

keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2>/dev/null | head -n 1 || true)
[ -n "$keyring" ] || fail "Debian's signing keys are missing: install debian-archive-keyring, or name an nginx in NGINX_BIN"

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

echo "downloading nginx and njs"
apt-get -c "$apt/apt.conf" -qq -y --no-install-recommends --download-only install nginx libnginx-mod-http-js \
  >/dev/null || fail "nginx can't be downloaded from $mirror: check the network and the free space in $dest"

echo "unpacking"
for package in "$apt"/archives/*.deb; do
  dpkg-deb --extract "$package" "$root" || fail "$(basename "$package") can't be unpacked: check the free space in $dest"
done
rm -rf "$apt" "$root"/usr/share/{doc,man,locale}

loader=$(cd "$root" && ls usr/lib*/ld-linux-*.so.* usr/lib/*/ld-linux-*.so.* 2>/dev/null | head -n 1 || true)
module=$(cd "$root" && ls usr/lib/nginx/modules/ngx_http_js_module.so 2>/dev/null || true)
libraries=$(cd "$root" && ls -d usr/lib/*-linux-gnu* | head -n 1)
[ -n "$loader" ] && [ -n "$module" ] || fail "the packages of $suite are laid out in an unexpected way: name an nginx in NGINX_BIN"

cat >"$dest/nginx" <<RUN
#!/bin/sh
root=\$(dirname "\$0")/root
exec "\$root/$loader" --library-path "\$root/$libraries" "\$root/usr/sbin/nginx" "\$@"
RUN
chmod +x "$dest/nginx"
