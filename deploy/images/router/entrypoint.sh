#!/bin/dash
# Starts the router's nginx (`router`) or the sidecar's (`sidecar`), with settings from the environment.
# The image has no other programs to call, so this keeps to what the shell can do by itself.
# No name of a file is meant by a star.
set -euf
umask 077

home=/usr/share/spawner
nginx=/usr/sbin/nginx
# The only folder that can be written.
directory=/tmp
module='load_module /usr/lib/nginx/modules/ngx_http_js_module.so;'

fail() {
  printf '%s: %s\n' "$role" "$1" >&2
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

# Whether nginx is as new as, say, 1.29.6.
at_least() {
  IFS=.
  # shellcheck disable=SC2086 # to be split
  set -- $version $1
  unset IFS
  [ $((($1 * 1000 + $2) * 1000 + $3)) -ge $((($4 * 1000 + $5) * 1000 + $6)) ]
}

# What follows `listen`, for a port on all addresses; a kernel without IPv6 has no such file.
# listen_on PORT [ssl]
listen_on() {
  address=$1${2:+ $2}
  [ ! -e /proc/net/if_inet6 ] || address="$address; listen [::]:$1${2:+ $2}"
}

# Sets `escaped` to a text whose dots stand for themselves in a pattern.
escape() {
  escaped=
  rest=$1
  while :; do
    case $rest in
      *.*) escaped="$escaped${rest%%.*}\\." rest=${rest#*.} ;;
      *) break ;;
    esac
  done
  escaped=$escaped$rest
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

wrong_url() {
  fail "SPAWNER_PUBLIC_URL is \"$publicUrl\": set https://my-domain.com or https://{id}.my-domain.com, in lower case"
}

# Where browsers reach sessions decides what of nginx is theirs.
sessions() {
  publicUrl=${SPAWNER_PUBLIC_URL:-http://spawner-router.spawner}
  keepPrefix=${SPAWNER_KEEP_PREFIX:-false}
  case $keepPrefix in
    true | false) ;;
    *) fail "SPAWNER_KEEP_PREFIX is \"$keepPrefix\": set true or false" ;;
  esac
  case $publicUrl in
    http://'{id}'.?* | https://'{id}'.?*)
      [ "$keepPrefix" = false ] || fail 'SPAWNER_KEEP_PREFIX has no effect with {id} in SPAWNER_PUBLIC_URL'
      hostApex=${publicUrl#*'{id}.'}
      hostApex=${hostApex%/}
      case $hostApex in
        *:?*[!0-9]* | *:??????* | *:) wrong_url ;;
      esac
      hostApex=${hostApex%:*}
      case $hostApex in
        '' | *[!a-z0-9._-]* | *..* | .* | *. | *.[0-9] | *.*[!a-z]) wrong_url ;;
      esac
      hostSuffix=.$hostApex
      escape "$hostSuffix"
      hostPattern=$escaped
      mode=$(fill <$home/mode-host.conf)
      hiddenHeaders=
      owned='all of it'
      sessions=/
      wait='= /.spawner/wait'
      reserved=$(fill <$home/reserved-host.conf)
      form=host
      ;;
    http://?* | https://?*)
      host=${publicUrl#*://}
      host=${host%'/p/{id}/'}
      case ${host%/} in
        '' | *[!]A-Za-z0-9.:_[-]*) wrong_url ;;
      esac
      mode=$(fill <$home/mode-path.conf)
      [ "$keepPrefix" = false ] || mode=$(fill <$home/mode-path-kept.conf)
      hiddenHeaders=$(fill <$home/origin-wide.conf)
      owned=/p/
      sessions='^~ /p/'
      wait='^~ /p/-/wait/'
      reserved=
      form=path
      ;;
    *) wrong_url ;;
  esac
}

# Sets the lines that nginx has for each of a list with commas.
proxies() {
  trustedProxies=
  realIp=
  [ -n "${SPAWNER_TRUSTED_PROXY-}" ] || return 0
  IFS=,
  for network in $SPAWNER_TRUSTED_PROXY; do
    case $network in
      '' | *[!0-9a-fA-F.:/]*)
        fail "SPAWNER_TRUSTED_PROXY has \"$network\": set networks like 10.0.0.0/8, with commas between them"
        ;;
    esac
    trustedProxies="$trustedProxies  $network 1;$newline"
    realIp="$realIp  set_real_ip_from $network;$newline"
  done
  unset IFS
  realIp="$realIp  real_ip_header X-Forwarded-For;$newline  real_ip_recursive on;"
}

origins() {
  originKey=
  originRules=
  [ -n "${SPAWNER_ALLOW_ORIGIN-}" ] || return 0
  # shellcheck disable=SC2016 # nginx' variables
  originKey='$spawner_upgrade $http_origin $spawner_scheme://$spawner_public_host'
  originRules='  "~^websocket  " "";'$newline'  "~^websocket (\S+) \1$" "";'$newline
  IFS=,
  for origin in $SPAWNER_ALLOW_ORIGIN; do
    case $origin in
      self) continue ;;
      *[!a-z0-9.:/_-]* | *://*/*) ;;
      http://[!/]* | https://[!/]*)
        escape "$origin"
        originRules="$originRules  \"~^websocket $escaped \" \"\";$newline"
        continue
        ;;
    esac
    fail "SPAWNER_ALLOW_ORIGIN has \"$origin\": set self or origins like https://example.com, with commas between them"
  done
  unset IFS
  originRules="$originRules  \"~^websocket \" 1;"
}

tls() {
  certificate=${SPAWNER_TLS_CERTIFICATE-}
  key=${SPAWNER_TLS_KEY-}
  tls=
  ssl=
  [ -n "$certificate$key" ] || return 0
  for file in "$certificate" "$key"; do
    [ -n "$file" ] || fail 'SPAWNER_TLS_CERTIFICATE and SPAWNER_TLS_KEY belong together: set both'
    case $file in
      *[!A-Za-z0-9_./@+-]*) fail "SPAWNER_TLS_CERTIFICATE or SPAWNER_TLS_KEY: \"$file\" has more than letters, digits and ._@+-" ;;
    esac
    [ -f "$file" ] && [ -r "$file" ] || fail "SPAWNER_TLS_CERTIFICATE or SPAWNER_TLS_KEY: there is no file $file that may be read"
  done
  tls=$(fill <$home/server-tls.conf)
  ssl=ssl
}

backends() {
  # RFC 1918, RFC 6598 and RFC 4193: where clusters have their Pods.
  backends=${SPAWNER_BACKENDS:-10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,[fc00::]/7}
  case $backends in
    *[!]0-9a-fA-F.:/,[-]*)
      fail "SPAWNER_BACKENDS is \"$backends\": set networks like 10.0.0.0/8 or 10.0.0.0/8:8080, with commas between them"
      ;;
  esac
  IFS=,
  # shellcheck disable=SC2086 # to be split
  set -- $backends
  unset IFS
  backends=$*
  # Kubernetes says where its API server is; some clusters by a name, which no range can leave out.
  case ${KUBERNETES_SERVICE_HOST-} in
    *:*) backends="$backends ![$KUBERNETES_SERVICE_HOST]" ;;
    '' | *[!0-9.]*) ;;
    *) backends="$backends !$KUBERNETES_SERVICE_HOST" ;;
  esac
}

# What only some versions of nginx have.
line_features() {
  lineFeatures=
  trailers=
  if at_least 1.27.2; then
    lineFeatures="  proxy_pass_trailers on;$newline"
    trailers='  "~*(?:^|[, ])trailers(?:$|[, ;])" trailers;'
  fi
  # Links are not rewritten in them.
  if at_least 1.29.0 && [ "$form$keepPrefix" != pathfalse ]; then
    lineFeatures="$lineFeatures  early_hints \$http2;"
  fi
}

. $home/pool.sh

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
  connectionsPerSession=${SPAWNER_CONNECTIONS_PER_SESSION:-1000}
  count SPAWNER_CONNECTIONS_PER_SESSION "$connectionsPerSession" 65535
  workers=${SPAWNER_ROUTER_WORKERS:-2}
  count SPAWNER_ROUTER_WORKERS "$workers" 512
  jsPath=$home/spawner.js
  hotPath=$home/spawner-hot.js
  sessions
  proxies
  origins
  tls
  backends
  engine=
  version=$($nginx -v 2>&1)
  version=${version##*nginx/}
  version=${version%%[!0-9.]*}
  line_features
  pool
  listen_on 8000 $ssl
  listen=$address
  listen_on 9145
  adminListen=$address
  adminUrl=http://127.0.0.1:9145
  listen_on 9146
  drainListen=$address
  serverConf=$directory/spawner-server.conf
  elsewhere='    location / { return 404; }'
  limits=$(fill <$home/server-limits.conf)
  server=$(fill <$home/server-$form.conf)
  proxy=$(fill <$home/spawner-proxy.conf)
  [ -z "$pool" ] || poolLocations=$(fill <$home/pool-dns-locations.conf)
  fill <$home/spawner-http.conf >$directory/spawner-http.conf
  fill <$home/spawner-server.conf >$serverConf
  fill <$home/router-pod.conf >$directory/nginx.conf
  start=
}

sidecar() {
  count SPAWNER_APPLICATION_PORT "${SPAWNER_APPLICATION_PORT-}" 65535
  count SPAWNER_PROBE_SECONDS "${SPAWNER_PROBE_SECONDS:-1}" 86400
  jsPath=$home/sidecar.js
  listen_on 9118
  listen="listen $address;"
  fill <$home/sidecar.conf >$directory/nginx.conf
  start="$home/forked.sh $directory/sidecar.pid"
}

role=${1-}
newline='
'
case $role in
  router | sidecar) $role ;;
  *)
    printf 'entrypoint: "%s" is unknown: say router or sidecar\n' "$role" >&2
    exit 2
    ;;
esac
# As many connections as the node allows: only root could have nginx ask for more.
ulimit -S -n "$(ulimit -H -n)"
exec $start $nginx -e stderr -p $directory -c $directory/nginx.conf
