#!/usr/bin/env bash
# parse-duration 2.1.9 (npm): PT36H is 36 hours and P1DT12H, the same time, is 12; P1M is a minute. None is an error.
#
# It reads lifetimes as people write them, "1h30m" or "90 min", and those of ISO 8601 with hours and minutes come out right, so that one takes it to know
# that form. It goes from number to number and skips each unit that it does not know: between a day and the time stands "DT", and the day is
# gone. A session of a day and a half, as a service in Java or a policy writes it, ends after half a day. Only where nothing at all is known
# it says null.
# Seen, in seconds: PT36H 129600, P1DT12H 43200, P1D 86400, P1M 60, "soon" null; luxon 3.7.2: P1DT12H 129600, P1M 2592000.
# Whoever takes both forms looks for the P first, and gives those to a reader of ISO 8601.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund parse-duration@2.1.9 luxon@3.7.2 >/dev/null
cat > read.mjs <<'JS'
import { Duration } from 'luxon'
import parse from 'parse-duration'

for (const text of ['PT36H', 'P1DT12H', 'P1D', 'P1M', 'soon']) {
  const other = Duration.fromISO(text)
  console.log(`${text}: ${parse(text, 's')}, luxon ${other.isValid ? other.as('seconds') : 'refuses'}`)
}
JS
seen=$(node read.mjs); echo "$seen"
[ "$seen" = 'PT36H: 129600, luxon 129600
P1DT12H: 43200, luxon 129600
P1D: 86400, luxon 86400
P1M: 60, luxon 2592000
soon: null, luxon refuses' ] || { echo "changed"; exit 1; }
