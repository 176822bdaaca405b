#!/usr/bin/env bash
# wrk 4.1.0 (Debian 12): an answer that ends with its connection is counted as a request and as a read error, each of them.
#
# An answer without a length is over when the connection is (RFC 9112 section 6.3); services that answer in HTTP/1.0, and many small ones, write so. wrk
# takes the answer for whole, and has it in its rate and its latencies. Then it takes the same end of the connection for a fault: "Socket errors: read"
# has as many as there were requests, as if each second one had failed. An answer that breaks off is a read error too, so that a service that loses
# one in ten of such answers differs from a good one in nothing that one would look at. Reports that add the errors up call a sound service broken.
# Seen, for 1 s: ends with the connection: as many read errors as requests (but for a few of the end); Content-Length and Connection: close:
# no socket errors; broken off: no requests, read errors. ab: no failed requests for the first.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"; [ -z "${service:-}" ] || kill "$service"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq wrk=4.1.0-3+b2 libluajit-5.1-2 libluajit-5.1-common apache2-utils=2.4.71-1~deb12u1 libapr1 libaprutil1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > service.mjs <<'JS'
import net from 'node:net'

const server = net.createServer((connection) => {
  connection.on('error', () => {})
  connection.once('data', (request) => {
    const path = String(request).split(' ')[1]
    if (path === '/end') connection.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ntoken')
    if (path === '/length') connection.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\ntoken')
    if (path === '/broken') connection.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoken')
  })
}).listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
JS
node service.mjs > at & service=$!
until [ -s at ]; do sleep 0.1; done
run() {
  usr/bin/wrk -t1 -c2 -d1s "$(cat at)/$1" > said
  requests=$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' said); errors=$(sed -n 's/.*read \([0-9]*\), write.*/\1/p' said)
  far=$((requests - ${errors:-0})); [ "${far#-}" -gt 5 ] || far=few
  echo "$1: requests $([ "$requests" -gt 0 ] && echo some || echo none), read errors $([ "${errors:-0}" -gt 0 ] && echo some || echo none)," \
    "as many: $([ "$far" = few ] && echo yes || echo no)"
}
seen=$(run end; run length; run broken; usr/bin/ab -q -n 100 -c 2 "$(cat at)/end" 2>&1 | grep -E '^(Complete|Failed)' | tr -s ' '); echo "$seen"
[ "$seen" = 'end: requests some, read errors some, as many: yes
length: requests some, read errors none, as many: no
broken: requests none, read errors some, as many: no
Complete requests: 100
Failed requests: 0' ] || { echo "changed"; exit 1; }
