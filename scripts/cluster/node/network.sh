#!/bin/bash
# network.sh free|up|down: what the node needs of this machine: a network namespace, a link to it with routes to Pods and
# Services, and cgroups. Nothing but that link leaves the namespace. `down` takes away what is there, and only that;
# `free` fails if another cluster uses it.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

free() {
  local processes
  # Those of a node that was just killed take a moment to end.
  for _ in $(seq 50); do
    processes=$(ip netns pids $netns 2>/dev/null | xargs) || return 0
    [ -n "$processes" ] || return 0
    sleep 0.1
  done
  fail "a cluster that another user or XDG_CACHE_HOME started is up (processes $processes): end it there"
}

up() {
  ip netns add $netns
  ip link add $link type veth peer name eth0 netns $netns
  ip address add $host_ip/30 dev $link
  ip link set $link up
  ip -n $netns address add $node_ip/30 dev eth0
  ip -n $netns link set lo up
  ip -n $netns link set eth0 up
  ip -n $netns route add unreachable default
  ip route add $pod_cidr via $node_ip
  ip route add $service_cidr via $node_ip
  local root
  for root in $(cgroup_roots); do
    mkdir -p "$root/$cgroup"
    # A cpuset without processors and memory takes no process.
    if [ -e "$root/cpuset.cpus" ]; then
      cat "$root/cpuset.cpus" >"$root/$cgroup/cpuset.cpus"
      cat "$root/cpuset.mems" >"$root/$cgroup/cpuset.mems"
    fi
  done
}

down() {
  ! ip link show $link >/dev/null 2>&1 || ip link delete $link
  ! ip netns list | grep -qw $netns || ip netns delete $netns
  # The kernel lets go of a cgroup some time after its last process.
  for _ in $(seq 100); do
    remove_cgroups && return
    sleep 0.1
  done
  fail "cgroups named $cgroup are still in use: end what runs in them"
}

remove_cgroups() {
  local root left=0
  for root in $(cgroup_roots); do
    [ -d "$root/$cgroup" ] || continue
    find "$root/$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
  done
  return $left
}

$1
