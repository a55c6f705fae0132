# Sourced by build.sh: packages of a Debian suite, whatever release this machine runs. apt resolves them and checks
# their signatures in a folder of its own; the machine's own apt state is left alone.

# open_suite SUITE FOLDER: reads the suite's package lists into FOLDER; from then on `apt` works there.
open_suite() {
  local suite=$1 folder=$2 mirror keyring
  # The mirror this machine itself uses, whatever its suite; apt names it without having fetched any list.
  mirror=${DEBIAN_MIRROR:-$(apt-get update --print-uris | sed -nE "s#^'([^']*/debian)/+dists/.*#\1#p" | head -n 1)}
  [ -n "$mirror" ] || fail "apt knows no Debian mirror: set DEBIAN_MIRROR to one"
  keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2>/dev/null | head -n 1 || true)
  [ -n "$keyring" ] || fail "Debian's signing keys are missing: install debian-archive-keyring"
  mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/log"
  : >"$folder/status"
  printf "%s [signed-by=$keyring] $mirror $suite main\n" deb deb-src >"$folder/sources.list"
  # Read after the machine's own configuration, so its proxy and certificates hold, but none of its hooks run.
  cat >"$folder/apt.conf" <<CONF
Dir::Etc::SourceList "$folder/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$folder";
Dir::State::Lists "$folder/lists";
Dir::State::Status "$folder/status";
Dir::Cache "$folder";
Dir::Cache::Archives "$folder/archives";
Dir::Log "$folder/log";
Debug::NoLocking "true";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
  apt_conf=$folder/apt.conf
  apt update || fail "the package list of $suite can't be read from $mirror: check the network"
}

apt() { apt-get -c "$apt_conf" -qq "$@"; }
