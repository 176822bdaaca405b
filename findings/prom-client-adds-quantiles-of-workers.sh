#!/usr/bin/env bash
# prom-client 15.1.3 (npm): in a cluster of workers, the quantiles of a summary are added: two workers with 0.2 s each are a p99 of 0.4 s.
#
# A service on Node runs one worker for each core, and AggregatorRegistry makes one page of metrics of them. Metrics are summed there unless told
# otherwise, which is right for counts, sums and the buckets of histograms. It does the same with the quantiles of a summary, of which
# no sum means anything. The same service at the same speed shows twice the p99 on a machine with twice the cores, and a limit that held
# in the environment with two workers is broken in the one with eight.
# Seen, 100 answers of 0.2 s in each of two workers: 0.99 is 0.2 for each alone, 0.4 for both; count 200; a histogram's buckets are right.
# Whoever has workers takes a histogram for durations.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund prom-client@15.1.3 >/dev/null
cat > talk.mjs <<'JS'
import client from 'prom-client'

const worker = () => {
  const registry = new client.Registry()
  const common = { help: 'h', registers: [registry] }
  const summary = new client.Summary({ name: 'summary', percentiles: [0.99], ...common })
  const histogram = new client.Histogram({ name: 'histogram', buckets: [0.25], ...common })
  for (let i = 0; i < 100; i++) {
    summary.observe(0.2)
    histogram.observe(0.2)
  }
  return registry
}
const workers = [worker(), worker()]
const both = client.AggregatorRegistry.aggregate(await Promise.all(workers.map((one) => one.getMetricsAsJSON())))
for (const registry of [workers[0], both]) {
  const lines = (await registry.metrics()).split('\n')
  console.log(lines.filter((line) => /quantile|summary_count|le="0.25"/.test(line)).join(', '))
}
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'summary{quantile="0.99"} 0.2, summary_count 100, histogram_bucket{le="0.25"} 100
summary{quantile="0.99"} 0.4, summary_count 200, histogram_bucket{le="0.25"} 200' ] || { echo "changed"; exit 1; }
