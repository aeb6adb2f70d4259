#!/bin/bash
# Unpacks packages of another Debian suite, with all they depend on, into a folder; installs nothing.
#
#     guests/debian-root.sh trixie /tmp/trixie golang-1.24-go golang-1.24-src
#
# apt gets a state of its own below the folder, so that the machine's package lists stay as they are.
set -euo pipefail

if [ $# -lt 3 ]; then
  echo "Usage: $0 SUITE FOLDER PACKAGE..." >&2
  exit 2
fi
suite=$1
root=$(realpath -m "$2")
shift 2

state=$root/.apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
: > "$state/status"

mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources 2> /dev/null || true)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} $suite main" > "$state/sources.list"

cat > "$state/apt.conf" << END
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state/cache";
APT::Sandbox::User "root";
END
export APT_CONFIG=$state/apt.conf

apt-get update -qq
apt-get install -y -qq --download-only --no-install-recommends "$@" > /dev/null
for package in "$state"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
done
rm -r "$state"
echo "$suite: $* in $root"
