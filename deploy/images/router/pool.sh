# Sourced by entrypoint.sh: how the router keeps its connections to the Pods of sessions.
# shellcheck shell=dash disable=SC2016,SC2034 # nginx' variables; what templates take

resolv=/etc/resolv.conf

# Sets `resolver` to the cluster's name servers, and `domain` to what the names of its Services end with; the kubelet
# writes both down for a Pod.
names() {
  resolver=
  domain=
  [ -r $resolv ] || return 0
  while read -r key values || [ -n "$key" ]; do
    for value in $values; do
      case "$key $value" in
        *[!0-9A-Za-z.:\ -]*) ;;
        nameserver\ *:*) resolver="$resolver${resolver:+ }[$value]" ;;
        nameserver\ *) resolver="$resolver${resolver:+ }$value" ;;
        search\ svc.*) domain=${value%.} ;;
      esac
    done
  done <$resolv
}

# How nginx keeps its connections to Pods: as DNS names them, in blocks by the first character of a session's id.
pool() {
  applicationPort=${SPAWNER_APPLICATION_PORT:-8080}
  count SPAWNER_APPLICATION_PORT "$applicationPort" 65535
  namespace=${SPAWNER_SESSIONS_NAMESPACE:-spawner-sessions}
  case $namespace in
    *[!a-z0-9-]*) fail "SPAWNER_SESSIONS_NAMESPACE is \"$namespace\": set the name of a namespace" ;;
  esac
  pool=
  upstreams=
  enterPool=
  poolLocations=
  upstream='$spawner_backend'
  connection=close
  connectionWithTe='TE, close'
  if ! at_least 1.29.6; then
    unpooled "nginx $version is older than 1.29.6"
    return
  fi
  names
  if [ -z "$resolver" ] || [ -z "$domain" ]; then
    unpooled "$resolv has no name server, or does not search svc.<the cluster's domain>"
    return
  fi
  pool="dns $applicationPort"
  upstream='$spawner_upstream'
  connection=
  connectionWithTe=TE
  poolZoneSize=32m
  shards=
  for shard in 0 1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o p q r s t u v w x y z; do
    peers="  server spawner-shard-$shard.$namespace.$domain:$applicationPort resolve drain max_fails=0;"
    shards="$shards$(fill <$home/pool-shard.conf)$newline"
  done
  upstreams=$(fill <$home/pool.conf)$newline$(fill <$home/pool-dns.conf)
  enterPool=$(fill <$home/pool-dns-enter.conf)
}

unpooled() { printf '%s: a connection to a Pod for each request: %s\n' "$role" "$1" >&2; }
