#!/bin/bash
# image.sh ROOTFS REF OUT.tar CONFIG-JSON: makes an image archive of one layer from a folder, as `docker save` would.
set -euo pipefail
rootfs=$1 ref=$2 out=$3 config=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sum() { sha256sum "$1" | cut -d ' ' -f 1; }

tar -C "$rootfs" --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -cf "$work/layer.tar" .
architecture=$(dpkg --print-architecture)
cat >"$work/config.json" <<JSON
{"architecture":"$architecture","os":"linux","config":$config,
 "rootfs":{"type":"layers","diff_ids":["sha256:$(sum "$work/layer.tar")"]},"history":[{"created_by":"image.sh"}]}
JSON
echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$ref\"],\"Layers\":[\"layer.tar\"]}]" >"$work/manifest.json"
tar -C "$work" -cf "$out" manifest.json config.json layer.tar
