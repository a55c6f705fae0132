#!/bin/bash
# build.sh DEST
# Builds Kubernetes 1.20.2 from Debian's source package and puts all that a one-node cluster runs on into DEST:
#   bin/ (kube-*, kubelet, kubectl, etcd, containerd, runc, iptables …), cni/, lib/ (what iptables links to), images/
# Needs no root and installs nothing. DEST appears whole or not at all; one build of it runs at a time.
# Prints progress on stdout; on failure its last line on stderr is the reason.
set -euo pipefail

fail() { echo "$*" >&2; exit 1; }

[ $# -eq 1 ] || fail "usage: build.sh DEST"
dest=$1 here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../debian.sh"

mkdir -p "$(dirname "$dest")"
exec 9>"$dest.lock"
flock --nonblock 9 || { echo "waiting for another build"; flock 9; }
[ ! -e "$dest" ] || exit 0

work=$dest.new out=$dest.new/out
rm -rf "$work"
mkdir -p "$work"/{debs,src,root,go,home,tmp} "$out"/{bin,cni,lib,images}
work=$(cd "$work" && pwd) out=$work/out
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# 1.20.2 is the newest whole Kubernetes source that Debian carries. The newest Go it builds with is bookworm's 1.19.
suite=bookworm
compiler="golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev"
programs="etcd-server containerd runc containernetworking-plugins iptables conntrack busybox-static"
libraries="libip4tc2 libip6tc2 libxtables12 libmnl0 libnftnl11 libnetfilter-conntrack3 libnfnetlink0"
commands="kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl"

open_suite $suite "$work/apt" with-sources
echo "downloading the sources of Kubernetes, Go, containerd, etcd"
(cd "$work/debs" && apt download $compiler $programs $libraries) &&
  (cd "$work/src" && apt source --download-only kubernetes) ||
  fail "packages of $suite can't be downloaded: check the network and the free space in $work"

echo unpacking
unpack() { dpkg-deb --extract "$1" "$2" || fail "$(basename "$1") can't be unpacked: check the free space in $work"; }
for package in "$work"/debs/*.deb; do
  case $package in */golang*) unpack "$package" "$work/go" ;; *) unpack "$package" "$work/root" ;; esac
done

# Kubernetes, where Go looks for it without modules.
export GOPATH=$work/path
kubernetes=$GOPATH/src/k8s.io/kubernetes
mkdir -p "$kubernetes"
tar -xzf "$work"/src/kubernetes_*.orig.tar.gz -C "$kubernetes" --strip-components=1
cd "$kubernetes"
tar -xJf "$work"/src/kubernetes_*.debian.tar.xz
while read -r name; do
  patch -p1 -s <"debian/patches/$name" || fail "Debian's patch $name of Kubernetes does not apply"
done <debian/patches/series
# The reflect2 1.0.1 that Kubernetes brings corrupts memory when built with Go 1.18 or newer; Debian's 1.0.2 does not.
rm -rf vendor/github.com/modern-go/reflect2
cp -a "$work/go/usr/share/gocode/src/github.com/modern-go/reflect2" vendor/github.com/modern-go/

export GOROOT=$work/go/usr/lib/go-1.19 GOCACHE=$work/gocache GOTMPDIR=$work/tmp HOME=$work/home
export GOPROXY=off GO111MODULE=off GOFLAGS= CGO_ENABLED=0 PATH=$work/go/usr/lib/go-1.19/bin:$PATH

echo "generating the OpenAPI definitions"
# Debian's source lacks this one generated file. The list of packages is found as Kubernetes' own Makefile finds it.
go build -trimpath -o "$work/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
packages=$({
  find cmd pkg plugin test -name '*.go'
  find -L vendor/k8s.io -name '*.go'
} | grep -v -e '^vendor/k8s.io/code-generator/' -e '^vendor/k8s.io/sample-apiserver/' |
  xargs grep -l '^// *+k8s:openapi-gen=' | xargs -n1 dirname | LC_ALL=C sort -u | sed 's#^#k8s.io/kubernetes/#')
"$work/openapi-gen" -i "$(paste -sd, <<<"$packages")" -p k8s.io/kubernetes/pkg/generated/openapi \
  -O zz_generated.openapi -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/violations" \
  2>"$work/openapi.log" || fail "openapi-gen failed: $(tail -n 1 "$work/openapi.log")"

flags="-s -w"
for package in component-base/version client-go/pkg/version; do
  variable=k8s.io/kubernetes/vendor/k8s.io/$package
  flags="$flags -X $variable.gitVersion=v1.20.2 -X $variable.gitMajor=1 -X $variable.gitMinor=20"
done
count=0 total=$(wc -w <<<"$commands")
for command in $commands; do
  count=$((count + 1))
  echo "building $command ($count of $total)"
  go build -trimpath -tags providerless,dockerless -ldflags "$flags" -o "$out/bin/$command" \
    "k8s.io/kubernetes/cmd/$command" || fail "$command can't be built: check the free space in $work"
done

echo "putting it together"
root=$work/root
cp "$root"/usr/bin/{etcd,containerd,containerd-shim-runc-v2,ctr} "$root/usr/sbin/runc" "$out/bin/"
cp "$root"/usr/lib/cni/{bridge,host-local,loopback} "$out/cni/"
cp -a "$root"/usr/lib/*-linux-gnu/. "$out/lib/"
mkdir -p "$out/libexec"
cp "$root"/usr/sbin/{xtables-nft-multi,conntrack} "$out/libexec/"
# wrap NAME PROGRAM [ARGUMENT]: these link to libraries that a machine need not have.
wrap() {
  local name=$1
  shift
  cat >"$out/bin/$name" <<RUN
#!/bin/sh
home=\$(dirname "\$0")/..
export LD_LIBRARY_PATH="\$home/lib" XTABLES_LIBDIR="\$home/lib/xtables"
exec "\$home"/libexec/$* "\$@"
RUN
  chmod +x "$out/bin/$name"
}
for name in {iptables,ip6tables}{,-save,-restore}; do wrap $name xtables-nft-multi $name; done
wrap conntrack conntrack

mkdir -p "$work/pause" "$work/busybox/bin"
gcc -O2 -static -s -o "$work/pause/pause" "$here/pause.c" || fail "pause.c can't be compiled: install gcc and libc6-dev"
bash "$here/image.sh" "$work/pause" spawner-pause:1 "$out/images/pause.tar" '{"Entrypoint":["/pause"]}'
cp "$root/bin/busybox" "$work/busybox/bin/"
for name in sh httpd nc sleep cat ls wget; do ln -s busybox "$work/busybox/bin/$name"; done
bash "$here/image.sh" "$work/busybox" spawner-busybox:1 "$out/images/busybox.tar" '{"Cmd":["/bin/sh"]}'

mv "$out" "$dest"
