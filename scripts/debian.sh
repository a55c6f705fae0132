# Sourced by scripts that unpack packages of a Debian suite on any machine of the Debian family, without root: apt
# resolves them and checks their signatures in a folder of its own, and the machine's own apt state is left alone.
# Who sources it has a function `fail REASON`.

# open_suite SUITE FOLDER [with-sources]: reads the suite's package lists into FOLDER; from then on `apt` works there.
open_suite() {
  local suite=$1 folder=$2 sources=${3-} mirror security keyring
  # The mirrors this machine itself uses, whatever its suite; apt names them without having fetched any list.
  mirror=${DEBIAN_MIRROR:-$(mirror_ending debian)}
  security=${DEBIAN_SECURITY_MIRROR:-$(mirror_ending debian-security)}
  [ -n "$mirror" ] || fail "apt knows no Debian mirror: set DEBIAN_MIRROR to one"
  keyring=$(ls /usr/share/keyrings/debian-archive-keyring.{pgp,gpg} 2>/dev/null | head -n 1 || true)
  [ -n "$keyring" ] || fail "Debian's signing keys are missing: install debian-archive-keyring"

  mkdir -p "$folder/lists/partial" "$folder/archives/partial" "$folder/log"
  : >"$folder/status"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$folder/sources.list"
  [ -z "$sources" ] || echo "deb-src [signed-by=$keyring] $mirror $suite main" >>"$folder/sources.list"
  # Testing gets its security fixes through the suite itself.
  if [ "$suite" != forky ] && [ -n "$security" ]; then
    echo "deb [signed-by=$keyring] $security $suite-security main" >>"$folder/sources.list"
  fi
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
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
CONF
  apt_conf=$folder/apt.conf
  echo "reading the package list of $suite"
  apt update || fail "the package list of $suite can't be read from $mirror: check the network"
}

mirror_ending() { apt-get update --print-uris | sed -nE "s#^'([^']*/$1)/+dists/.*#\1#p" | head -n 1; }

apt() { apt-get -c "$apt_conf" -qq "$@"; }

# download_packages FOLDER PACKAGE...: them, and all that they depend on, as FOLDER/archives/*.deb of an open suite.
download_packages() {
  local folder=$1
  shift
  echo "downloading $*"
  apt -y --no-install-recommends --download-only install "$@" >/dev/null ||
    fail "$* can't be downloaded: check the network and the free space in $folder"
}
