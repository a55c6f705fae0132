#!/bin/bash
# pki.sh: a certificate authority for this one run, and a kubeconfig for each part of the cluster, in $RUN/pki.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
mkdir -p "$RUN/pki"
cd "$RUN/pki"

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# sign NAME SUBJECT EXTENSION…
sign() {
  local name=$1 subject=$2
  shift 2
  new_key "$name"
  openssl req -new -key "$name.key" -subj "$subject" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$name.crt" \
      -extfile <(printf '%s\n' "$@") 2>/dev/null
}

# client NAME SUBJECT
client() { sign "$1" "$2" keyUsage=digitalSignature extendedKeyUsage=clientAuth; }

kubeconfig() {
  cat >"$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$node_ip:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
contexts: [{name: test, context: {cluster: test, user: $1}}]
current-context: test
YAML
}

new_key ca
openssl req -x509 -new -key ca.key -subj /CN=spawner-test -days 30 -out ca.crt
names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:$node_ip,IP:$api_ip
sign apiserver /CN=kube-apiserver keyUsage=digitalSignature,keyEncipherment extendedKeyUsage=serverAuth \
  subjectAltName=$names
client apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
client admin /O=system:masters/CN=admin
client controller-manager /CN=system:kube-controller-manager
client scheduler /CN=system:kube-scheduler
client proxy /CN=system:kube-proxy
client kubelet /O=system:nodes/CN=system:node:$node_name
for name in admin controller-manager scheduler proxy kubelet; do kubeconfig $name; done
openssl genrsa -out service-account.key 2048 2>/dev/null
openssl rsa -in service-account.key -pubout -out service-account.pub 2>/dev/null
