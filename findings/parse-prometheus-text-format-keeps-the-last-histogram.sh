#!/usr/bin/env bash
# parse-prometheus-text-format 1.1.1 (npm): of a histogram or summary with labels it keeps the last set of labels alone, and does not say which.
#
# A service counts the times of each of its calls apart, op="signOn", op="refresh", in one metric, which is what labels are for. The parser makes
# objects of the text: counters and gauges come with their labels, one each. Buckets and quantiles are put into one object, in which the later ones
# overwrite the earlier, and labels, sum and count of them are left out. A check of "p99 below 0.5" passes or fails for whichever call the service
# named last.
# Seen, p99 of refresh 9, then of signOn 0.1: one metric, {"0.99":"0.1"}, no labels; buckets: those of signOn; without labels: right, with sum and count;
# a counter of the same labels: two metrics.
# Whoever checks such figures asks Prometheus, or reads the lines.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm init -y >/dev/null && npm install --silent --no-audit --no-fund parse-prometheus-text-format@1.1.1 >/dev/null
cat > talk.mjs <<'JS'
import parse from 'parse-prometheus-text-format'

const text = `# TYPE times summary
times{op="refresh",quantile="0.99"} 9
times_sum{op="refresh"} 90
times_count{op="refresh"} 10
times{op="signOn",quantile="0.99"} 0.1
times_sum{op="signOn"} 1
times_count{op="signOn"} 20
# TYPE seconds histogram
seconds_bucket{op="refresh",le="1"} 0
seconds_bucket{op="refresh",le="+Inf"} 10
seconds_sum{op="refresh"} 90
seconds_count{op="refresh"} 10
seconds_bucket{op="signOn",le="1"} 20
seconds_bucket{op="signOn",le="+Inf"} 20
seconds_sum{op="signOn"} 1
seconds_count{op="signOn"} 20
# TYPE plain summary
plain{quantile="0.99"} 9
plain_sum 90
plain_count 10
# TYPE calls counter
calls{op="refresh"} 10
calls{op="signOn"} 20
`
for (const { name, metrics } of parse(text)) console.log(name, JSON.stringify(metrics))
JS
seen=$(timeout 50 node talk.mjs); echo "$seen"
[ "$seen" = 'times [{"quantiles":{"0.99":"0.1"}}]
seconds [{"buckets":{"1":"20","+Inf":"20"}}]
plain [{"quantiles":{"0.99":"9"},"count":"10","sum":"90"}]
calls [{"value":"10","labels":{"op":"refresh"}},{"value":"20","labels":{"op":"signOn"}}]' ] || { echo "changed"; exit 1; }
