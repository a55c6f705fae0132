#!/bin/bash
# init.sh: the node. PID 1 of process, mount and network namespaces of its own: all that it starts ends with it.
# Touches $RUN/started once everything runs; logs go to $RUN/log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/settings.sh"
export PATH=$BUILD/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The kubelet otherwise looks for Amazon's metadata address, in vain, for 6 s.
export AWS_EC2_METADATA_DISABLED=true
pki=$RUN/pki
mkdir -p "$RUN"/{log,cni,sysctl,certs,names}
trap 'exit 0' TERM INT

# Private mounts: nothing written below them reaches the machine.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/containerd
for folder in etc var/lib var/log opt; do
  mkdir -p "$RUN/overlay/$folder"/{upper,work}
  mount -t overlay -o "lowerdir=/$folder,upperdir=$RUN/overlay/$folder/upper,workdir=$RUN/overlay/$folder/work" \
    overlay /$folder
done

# The kubelet insists on some settings of the kernel: it is shown them, and the machine's stay as they are.
pretend() {
  local file=$RUN/sysctl/${1//\//_}
  echo "$2" >"$file"
  mount --bind "$file" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000
# These two belong to the node's own network namespace.
echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

for file in containerd.toml kubelet.yaml bridge.conflist; do
  sed -e "s#@RUN@#$RUN#g; s#@BUILD@#$BUILD#g; s#@POD_CIDR@#$pod_cidr#g" \
    -e "s#@NODE_IP@#$node_ip#g; s#@CGROUP@#$cgroup#g" "$here/$file" >"$RUN/$file"
done
mv "$RUN/bridge.conflist" "$RUN/cni/"

# A background job becomes the program itself, so that the job's pid is the program's.
run() { exec "$@" >>"$RUN/log/$1.log" 2>&1; }

api_server() {
  run kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --advertise-address=$node_ip \
    --secure-port=6443 --cert-dir="$RUN/certs/apiserver" --client-ca-file="$pki/ca.crt" \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-client-certificate="$pki/apiserver-kubelet.crt" \
    --kubelet-client-key="$pki/apiserver-kubelet.key" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$pki/service-account.pub" \
    --service-account-signing-key-file="$pki/service-account.key" --service-cluster-ip-range=$service_cidr \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --feature-gates=BoundServiceAccountTokenVolume=true \
    --audit-policy-file="$here/audit-policy.yaml" --audit-log-path="$RUN/audit.log"
}

kubelet() {
  run kubelet --config="$RUN/kubelet.yaml" --kubeconfig="$pki/kubelet.kubeconfig" --hostname-override=$node_name \
    --node-ip=$node_ip --root-dir=/var/lib/kubelet --cert-dir="$RUN/certs/kubelet" --container-runtime=remote \
    --container-runtime-endpoint="unix://$RUN/containerd.sock" --pod-infra-container-image=spawner-pause:1
}

# Knows headless Services only, and nobody beyond the cluster.
dns() {
  local libraries
  libraries=$(echo "$DNS"/usr/lib/*-linux-gnu)
  exec "$libraries"/ld-linux*.so.? --library-path "$libraries" "$DNS/usr/sbin/dnsmasq" --keep-in-foreground \
    --conf-file=/dev/null --pid-file --user=root --log-facility=- --no-resolv --no-hosts --local=/cluster.local/ \
    --hostsdir="$RUN/names" --listen-address=$node_ip --bind-interfaces >>"$RUN/log/dns.log" 2>&1
}

names() { KUBECONFIG=$pki/admin.kubeconfig exec "$NODE" "$here/names.ts" "$RUN/names" >>"$RUN/log/names.log" 2>&1; }

# keep PROGRAM: runs it, but for the time that $RUN/PROGRAM-stopped exists: so that tests can have it away.
keep() {
  while sleep 0.1; do
    [ ! -e "$RUN/$1-stopped" ] || continue
    "$1" &
    while [ ! -e "$RUN/$1-stopped" ] && kill -0 $! 2>/dev/null; do sleep 0.1; done
    kill -KILL $! 2>/dev/null || true
    wait $! || true
  done
}

api_server_answers() {
  curl -sf -o /dev/null --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" \
    https://$node_ip:6443/readyz
}

run containerd -c "$RUN/containerd.toml" &
run etcd --data-dir "$RUN/etcd" --unsafe-no-fsync --listen-peer-urls http://127.0.0.1:0 \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 &
keep api_server &
for _ in $(seq 600); do ! api_server_answers || break; sleep 0.1; done
run kube-controller-manager --kubeconfig="$pki/controller-manager.kubeconfig" --leader-elect=false \
  --bind-address=127.0.0.1 --port=0 --cert-dir="$RUN/certs/controller-manager" \
  --use-service-account-credentials=true --service-account-private-key-file="$pki/service-account.key" \
  --root-ca-file="$pki/ca.crt" --cluster-signing-cert-file="$pki/ca.crt" \
  --cluster-signing-key-file="$pki/ca.key" --feature-gates=BoundServiceAccountTokenVolume=true \
  --node-monitor-period=2s --kube-api-qps=100 --kube-api-burst=200 --controllers='*,-ttl' &
run kube-scheduler --kubeconfig="$pki/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1 --port=0 \
  --cert-dir="$RUN/certs/scheduler" --kube-api-qps=100 --kube-api-burst=200 &
keep kubelet &
run kube-proxy --kubeconfig="$pki/proxy.kubeconfig" --proxy-mode=iptables --hostname-override=$node_name \
  --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0 \
  --bind-address=$node_ip --healthz-bind-address=127.0.0.1:10256 --metrics-bind-address=127.0.0.1:10249 &
keep dns &
keep names &
touch "$RUN/started"
# Collects orphans, as PID 1 has to.
while :; do wait -n || sleep 0.2; done
