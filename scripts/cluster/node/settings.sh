# Sourced by the scripts of the node. Callers set BUILD (what build.sh made) and RUN (this cluster's folder); for init.sh
# also DNS (where Debian's dnsmasq-base is unpacked) and NODE (Node's program).
netns=spawner-cluster link=spawner-node cgroup=spawner-cluster
host_ip=10.89.0.1 node_ip=10.89.0.2 pod_cidr=10.88.0.0/24 service_cidr=10.96.0.0/16 api_ip=10.96.0.1
node_name=node1

fail() { echo "$*" >&2; exit 1; }

# /sys/fs/cgroup/<controller> of every hierarchy that is mounted here (version 1, or hybrid).
cgroup_roots() { awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts; }
