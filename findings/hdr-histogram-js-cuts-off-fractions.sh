#!/usr/bin/env bash
# hdr-histogram-js 3.0.1 (npm): a latency of 0.9 ms is recorded as 0 and one of 1.9 ms as 1, without a word; only the maximum is as it was.
#
# A load in Node measures with performance.now(), which gives milliseconds with a fraction, and hands the difference to recordValue. The histogram
# holds whole numbers, and cuts the rest off: each quantile and the mean are up to a millisecond too low, half a one on the average, which for a
# service that answers within 2 ms is most of it. "3 significant digits" reads as 0.1 %, and p100 may be below max. The histogram that Node has itself
# (perf_hooks) refuses a fraction.
# Seen, 0.9, 1.9, 1.9 and 2.9: p50 1, mean 1 (true 1.9), p100 2, max 2.9. The same in whole microseconds: p50 1.9 ms and mean 1.9 ms. createHistogram of
# perf_hooks: refused with an error.
# Whoever uses it records whole microseconds.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund hdr-histogram-js@3.0.1 >/dev/null
cat > record.mjs <<'JS'
import { createHistogram } from 'node:perf_hooks'
import { build } from 'hdr-histogram-js'

const latencies = [0.9, 1.9, 1.9, 2.9]
for (const [name, unit] of [['milliseconds', 1], ['microseconds', 1000]]) {
  const histogram = build()
  for (const latency of latencies) histogram.recordValue(latency * unit)
  const [p50, p100] = [50, 100].map((percent) => histogram.getValueAtPercentile(percent) / unit)
  console.log(`${name}: p50 ${p50}, mean ${(histogram.mean / unit).toFixed(2)}, p100 ${p100}, max ${histogram.maxValue / unit}`)
}
try {
  createHistogram().record(0.9)
  console.log('perf_hooks: recorded')
} catch (error) {
  console.log('perf_hooks: refused')
}
JS
seen=$(node record.mjs); echo "$seen"
[ "$seen" = 'milliseconds: p50 1, mean 1.00, p100 2, max 2.9
microseconds: p50 1.9, mean 1.90, p100 2.901, max 2.9
perf_hooks: refused' ] || { echo "changed"; exit 1; }
