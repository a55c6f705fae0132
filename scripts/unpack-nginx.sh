#!/bin/bash
# unpack-nginx.sh SUITE DEST
# Brings nginx with its njs module from a Debian suite (trixie, forky) into DEST, for any Debian-family
# machine: needs no root, installs nothing and leaves the machine's own apt state alone. apt resolves the
# packages and checks their signatures in folders of its own; what they link to, libc included, comes along,
# so DEST/nginx starts through its own loader and runs on older systems too.
# Prints progress on stdout; on failure its last line on stderr is the reason.
set -euo pipefail

fail() { echo "$*, or name an nginx in NGINX_BIN" >&2; exit 1; }
. "${0%/*}/debian.sh"

[ $# -eq 2 ] || fail "usage: unpack-nginx.sh SUITE DEST"
suite=$1 dest=$(mkdir -p "$2" && cd "$2" && pwd)
apt=$dest/apt root=$dest/root

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || fail "$tool is missing, so nginx can't be unpacked: this needs a machine of the Debian family"
done

open_suite "$suite" "$apt"
download_packages "$apt" nginx libnginx-mod-http-js
mkdir -p "$root"

echo "unpacking"
for package in "$apt"/archives/*.deb; do
  dpkg-deb --extract "$package" "$root" || fail "$(basename "$package") can't be unpacked: check the free space in $dest"
done
rm -rf "$apt" "$root"/usr/share/{doc,man,locale}

loader=$(cd "$root" && ls usr/lib*/ld-linux-*.so.* usr/lib/*/ld-linux-*.so.* 2>/dev/null | head -n 1 || true)
module=$(cd "$root" && ls usr/lib/nginx/modules/ngx_http_js_module.so 2>/dev/null || true)
libraries=$(cd "$root" && ls -d usr/lib/*-linux-gnu* | head -n 1)
[ -n "$loader" ] && [ -n "$module" ] || fail "the packages of $suite are laid out in an unexpected way"

cat >"$dest/nginx" <<RUN
#!/bin/sh
root=\$(dirname "\$0")/root
exec "\$root/$loader" --library-path "\$root/$libraries" "\$root/usr/sbin/nginx" "\$@"
RUN
chmod +x "$dest/nginx"
