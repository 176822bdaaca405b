#!/bin/sh
# Prints a Homebrew formula for the binaries of a release: formula.sh VERSION ADDRESS SHA256SUMS
# ADDRESS is where the binaries of this version can be fetched, such as https://downloads.example.com/agstest/1.2.0
set -eu
version=$1 address=$2 sums=$3
sum() { awk -v name="agstest-$1" '$2 == name {print $1; found = 1} END {exit !found}' "$sums" || { echo "formula.sh: agstest-$1 is not in $sums" >&2; exit 1; }; }
part() {
  value=$(sum "$3")
  printf '  on_%s do\n    on_%s do\n      url "%s/agstest-%s"\n      sha256 "%s"\n    end\n  end\n\n' "$1" "$2" "$address" "$3" "$value"
}
cat <<END
class Agstest < Formula
  desc "Checks and loads an Authentication Gateway Service (AGS)"
  homepage "$address"
  version "$version"
  license "MIT"

END
part macos arm darwin-arm64
part macos intel darwin-amd64
part linux arm linux-arm64
part linux intel linux-amd64
cat <<'END'
  def install
    bin.install Dir["agstest-*"].first => "agstest"
    generate_completions_from_executable(bin/"agstest", "completion")
    (buildpath/"agstest.1").write Utils.safe_popen_read(bin/"agstest", "man")
    man1.install "agstest.1"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/agstest version")
  end
end
END
