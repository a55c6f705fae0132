#!/bin/bash
# enter.sh: becomes the node, in the network namespace of network.sh; whoever kills this process kills all of the node.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
exec nsenter --net=/run/netns/$netns \
  unshare --mount --propagation private --pid --fork --kill-child --mount-proc bash "$here/init.sh"
