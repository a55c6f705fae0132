#!/bin/sh
# inside.sh ROOT PROGRAM [ARGUMENT...]
# Becomes a program of unpacked Debian packages, which see their own root: its files are where the program looks for
# them, and the machine's are not touched. Run it by `unshare --map-root-user --mount`: the mounts are this program's
# alone and end with it. TMPDIR is the only folder that both worlds share.
set -e
root=$1
shift
for folder in /proc /dev "${TMPDIR:-/tmp}"; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
exec unshare --root="$root" --wd=/ -- "$@"
