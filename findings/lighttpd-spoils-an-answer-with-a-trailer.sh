#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 12) with clients of Go and Node 20: a field behind the body of an answer comes as one before it, with a stray carriage return, and
# both refuse a good answer.
#
# A service may send fields as trailers of a chunked body (RFC 9112 section 7.1.2), a checksum or Server-Timing, and a proxy may drop them, pass them on,
# or put them into the head. lighttpd puts the line there with its line end as it came, and adds its own, so that the value ends with CR, which no value may
# hold. curl and Python pass over that; Go and Node take nothing of the answer. The service is in order, its log says 200, tests with curl are green,
# and applications see no answer at all from the day that the service writes a trailer.
# Seen, directly: 200 for all four; through lighttpd: curl and Python 200, Go "malformed MIME header", Node "fetch failed", HPE_LF_EXPECTED; without a trailer
# 200 for all.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq lighttpd=1.4.69-1 libpcre2-8-0 libnettle8 libxxhash0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat > fetch.mjs <<'JS'
import http from 'node:http'

const [url] = process.argv.slice(2)
const fetched = await fetch(url).then((answer) => answer.status, (error) => error.message)
const got = await new Promise((done) => http.get(url, (answer) => answer.resume().on('end', () => done(answer.statusCode))).on('error', (error) => done(error.code)))
console.log(`fetch ${fetched}, http ${got}`)
JS
cat > go.mod <<'MOD'
module finding

go 1.26
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	answer, err := http.Get(os.Args[1])
	if err != nil {
		_, what, _ := strings.Cut(err.Error(), "broken: ")
		fmt.Print(what)
		return
	}
	body, err := io.ReadAll(answer.Body)
	fmt.Print(answer.StatusCode, " ", string(body), " ", err == nil)
}
GO
go build -o client .
cat > talk.py <<'PY'
import http.client, os, socket, subprocess, sys, threading, time

listener = socket.create_server(("127.0.0.1", 0))
trailers = {b"/trailer": b"x-sum: 1\r\n", b"/plain": b""}


def serve(conn):
    with conn, conn.makefile("rwb") as stream:
        line = stream.readline()
        while stream.readline().strip():
            pass
        if line:
            stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n%s\r\n" % trailers[line.split()[1]])


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
service, root = listener.getsockname()[1], sys.argv[1]
with open("config", "w") as file:
    file.write(f"""server.modules = ("mod_proxy")
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{root}/error.log"
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {service})))
""")
libraries = {**os.environ, "LD_LIBRARY_PATH": f"{root}/usr/lib/{os.uname().machine}-linux-gnu"}
daemon = subprocess.Popen([f"{root}/usr/sbin/lighttpd", "-D", "-f", "config", "-m", f"{root}/usr/lib/lighttpd"], env=libraries, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for path in ("/plain", "/trailer"):
        for name, to in (("directly", service), ("lighttpd", port)):
            url = f"http://127.0.0.1:{to}{path}"
            client = http.client.HTTPConnection("127.0.0.1", to, timeout=10)
            client.request("GET", path)
            answer = client.getresponse()
            said = [subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
                    for command in (["curl", "-q", "-s", "--noproxy", "*", "-w", " %{http_code}", url], ["./client", url], ["node", "fetch.mjs", url])]
            print(f"{path} {name}: Python {answer.status} {answer.read().decode()}, curl {said[0]}, Go {said[1]}, Node {said[2]}", flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = '/plain directly: Python 200 {}, curl {} 200, Go 200 {} true, Node fetch 200, http 200
/plain lighttpd: Python 200 {}, curl {} 200, Go 200 {} true, Node fetch 200, http 200
/trailer directly: Python 200 {}, curl {} 200, Go 200 {} true, Node fetch 200, http 200
/trailer lighttpd: Python 200 {}, curl {} 200, Go malformed MIME header line: "X-Sum: 1\r", Node fetch fetch failed, http HPE_LF_EXPECTED' ] || { echo "changed"; exit 1; }
