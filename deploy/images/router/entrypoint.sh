#!/bin/dash
# Starts the router's nginx (`router`) or the sidecar's (`sidecar`), with settings from the environment.
# The image has no other programs to call, so this keeps to what the shell can do by itself.
set -eu
umask 077

home=/usr/share/spawner
# The only folder that can be written.
directory=/tmp
module='load_module /usr/lib/nginx/modules/ngx_http_js_module.so;'

fail() {
  printf '%s: %s\n' "$mode" "$1" >&2
  exit 2
}

# count NAME VALUE MOST
count() {
  case $2 in
    '' | 0* | *[!0-9]* | ?????????*) ;;
    *) [ "$2" -gt "$3" ] || return 0 ;;
  esac
  fail "$1 is \"$2\": set a whole number from 1 to $3"
}

# size NAME VALUE
size() {
  number=${2%[kKmM]}
  case $number in
    "$2" | '' | 0* | *[!0-9]* | ??????*) fail "$1 is \"$2\": set a size like 8m, at least 64k" ;;
  esac
  case $2 in
    *[kK]) [ "$number" -ge 64 ] || fail "$1 is \"$2\": set a size like 8m, at least 64k" ;;
  esac
}

# What follows `listen`, for a port on all addresses; a kernel without IPv6 has no such file.
listen_on() {
  if [ -e /proc/net/if_inet6 ]; then
    address="$1; listen [::]:$1"
  else
    address=$1
  fi
}

# Copies stdin to stdout, with {{name}} replaced by the value of the variable `name`.
fill() {
  while IFS= read -r line; do
    while :; do
      case $line in
        *'{{'*'}}'*) ;;
        *) break ;;
      esac
      rest=${line#*'{{'}
      eval "value=\$${rest%%'}}'*}"
      line=${line%%'{{'*}$value${rest#*'}}'}
    done
    printf '%s\n' "$line"
  done
}

router() {
  adminToken=${SPAWNER_ROUTER_TOKEN-}
  case $adminToken in
    '') fail 'SPAWNER_ROUTER_TOKEN is missing: set the token that the daemon has, too' ;;
    *[!A-Za-z0-9_.~+/=-]*) fail 'SPAWNER_ROUTER_TOKEN may have letters, digits and ._~+/=- only' ;;
    ????????????????*) ;;
    *) fail 'SPAWNER_ROUTER_TOKEN is too short: set 16 characters or more' ;;
  esac
  routesZoneSize=${SPAWNER_ROUTES_ZONE_SIZE:-8m}
  size SPAWNER_ROUTES_ZONE_SIZE "$routesZoneSize"
  activityZoneSize=${SPAWNER_ACTIVITY_ZONE_SIZE:-8m}
  size SPAWNER_ACTIVITY_ZONE_SIZE "$activityZoneSize"
  holdSeconds=${SPAWNER_HOLD_SECONDS:-30}
  count SPAWNER_HOLD_SECONDS "$holdSeconds" 86400
  holdMax=${SPAWNER_HOLD_MAX:-1000}
  count SPAWNER_HOLD_MAX "$holdMax" 1000000
  holdMaxPerSession=${SPAWNER_HOLD_MAX_PER_SESSION:-100}
  count SPAWNER_HOLD_MAX_PER_SESSION "$holdMaxPerSession" 1000000
  workers=${SPAWNER_ROUTER_WORKERS:-2}
  count SPAWNER_ROUTER_WORKERS "$workers" 512
  engine=
  jsPath=$home/spawner.js
  listen_on 8000
  publicListen=$address
  listen_on 9145
  adminListen=$address
  listen_on 9146
  drainListen=$address
  fill <$home/spawner-http.conf >$directory/spawner-http.conf
  fill <$home/router-pod.conf >$directory/nginx.conf
}

sidecar() {
  count SPAWNER_APPLICATION_PORT "${SPAWNER_APPLICATION_PORT-}" 65535
  count SPAWNER_PROBE_SECONDS "${SPAWNER_PROBE_SECONDS:-1}" 86400
  jsPath=$home/sidecar.js
  listen_on 9118
  listen="listen $address;"
  fill <$home/sidecar.conf >$directory/nginx.conf
}

mode=${1-}
case $mode in
  router | sidecar) $mode ;;
  *)
    printf 'entrypoint: "%s" is unknown: say router or sidecar\n' "$mode" >&2
    exit 2
    ;;
esac
# As many connections as the node allows: only root could have nginx ask for more.
ulimit -S -n "$(ulimit -H -n)"
exec /usr/sbin/nginx -e stderr -p $directory -c $directory/nginx.conf
