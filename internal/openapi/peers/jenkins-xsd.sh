#!/bin/sh
# Prints where the schema lies that Jenkins publishes for JUnit XML (jenkins-junit.xsd). Debian has it in the sources of the package junit5; it is fetched
# into the folder $1 once. Fails, with the reason, where it cannot be had.
set -eu
folder=$1 file=platform-tests/src/test/resources/jenkins-junit.xsd
mkdir -p "$folder" && cd "$folder"
[ -f jenkins-junit.xsd ] || {
  command -v apt-get >/dev/null || { echo "no apt-get on this machine" >&2; exit 1; }
  lists=$(mktemp -d); trap 'rm -rf "$lists"' EXIT
  mkdir -p "$lists/parts" "$lists/lists/partial"
  for f in /etc/apt/sources.list.d/debian.sources; do [ ! -f "$f" ] || sed 's/^Types: deb$/Types: deb-src/' "$f" > "$lists/parts/debian.sources"; done
  [ ! -f /etc/apt/sources.list ] || sed -n 's/^deb /deb-src /p' /etc/apt/sources.list > "$lists/parts/debian.list"
  from() { apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$lists/parts" -o "Dir::State::lists=$lists/lists" "$@" 2>/dev/null; }
  from update && from source --download-only junit5 || { echo "Debian's sources of junit5 cannot be fetched" >&2; exit 1; }
  tar -xf junit5_*.orig.tar.* --wildcards --strip-components=5 "*/$file"
  rm -f junit5_*
}
echo "$PWD/jenkins-junit.xsd"
