#!/usr/bin/env bash
# dayjs 1.11.23 (npm, its plugin duration): a duration below zero, written by its own toISOString, is read back as one above: -PT1H is one hour.
#
# What is left of a token, an offset between two clocks, or how long a session is over already, goes into a file or a message as a duration of ISO 8601. The
# plugin writes one below zero with the sign in front, as ISO 8601-2 and most libraries do, its reader lets the sign through and then
# forgets it, and no error is raised. A token that ended an hour ago comes back as one that is good for an hour, and a clock that is behind as
# one ahead. With the sign at each number, PT-1H, it is kept.
# Seen, -3600 s: dayjs writes -PT1H and reads 3600; -PT30M: 1800; PT-1H: -3600. luxon 3.7.2 and moment 2.30.1 read the first as -3600, -1800 and -3600.
# Whoever stores such durations with it stores a number of seconds.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund dayjs@1.11.23 luxon@3.7.2 moment@2.30.1 >/dev/null
cat > read.mjs <<'JS'
import dayjs from 'dayjs'
import duration from 'dayjs/plugin/duration.js'
import { Duration } from 'luxon'
import moment from 'moment'

dayjs.extend(duration)
const own = dayjs.duration(-3600, 'seconds').toISOString()
for (const text of [own, '-PT30M', 'PT-1H', 'PT1H']) {
  const others = `luxon ${Duration.fromISO(text).as('seconds')}, moment ${moment.duration(text).asSeconds()}`
  console.log(`${text}: dayjs ${dayjs.duration(text).asSeconds()}, ${others}`)
}
JS
seen=$(node read.mjs); echo "$seen"
[ "$seen" = '-PT1H: dayjs 3600, luxon -3600, moment -3600
-PT30M: dayjs 1800, luxon -1800, moment -1800
PT-1H: dayjs -3600, luxon -3600, moment -3600
PT1H: dayjs 3600, luxon 3600, moment 3600' ] || { echo "changed"; exit 1; }
