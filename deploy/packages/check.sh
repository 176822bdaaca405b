#!/bin/sh
# Unpacks the .deb of this machine's kind in dist/ into a folder, runs what it installs, and holds the formula against the checksums.
set -eu
cd "$(dirname "$0")/../.."
command -v dpkg-deb >/dev/null 2>&1 || { echo "SKIPPED: dpkg-deb is not here, so that the package cannot be unpacked"; exit 0; }
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
dpkg-deb -x "$(ls -t dist/agstest_*_"$(dpkg --print-architecture)".deb | head -n 1)" "$folder" # the newest
"$folder/usr/bin/agstest" version
gzip -dc "$folder/usr/share/man/man1/agstest.1.gz" | grep -q '^\.TH AGSTEST 1'
for file in usr/share/bash-completion/completions/agstest usr/share/zsh/vendor-completions/_agstest usr/share/fish/vendor_completions.d/agstest.fish \
  usr/share/doc/agstest/copyright usr/share/doc/agstest/CHANGELOG.md; do
  [ -s "$folder/$file" ] || { echo "the package has no $file"; exit 1; }
done
[ "$(stat -c %a "$folder/usr/bin/agstest")" = 755 ]
for platform in darwin-arm64 darwin-amd64 linux-arm64 linux-amd64; do echo "$(printf %s "$platform" | sha256sum | cut -d' ' -f1)  agstest-$platform"; done > "$folder/sums"
deploy/packages/formula.sh 1.2.3 https://downloads.example.com/1.2.3 "$folder/sums" > "$folder/agstest.rb"
[ "$(grep -c 'sha256 "[0-9a-f]\{64\}"' "$folder/agstest.rb")" = 4 ]
if command -v ruby >/dev/null 2>&1; then ruby -c "$folder/agstest.rb" >/dev/null; fi
! deploy/packages/formula.sh 1.2.3 https://downloads.example.com/1.2.3 /dev/null >/dev/null 2>&1 || { echo "a formula without checksums was written"; exit 1; }
echo "the package installs, and the formula names four binaries"
