#!/usr/bin/env bash
# github.com/codesenberg/bombardier v1.2.6: a request that gets no answer is sent five times and counted once, a POST too.
#
# A load tool would be expected to send what it counts, and any client to send a POST once, which need not be safe to repeat. Bombardier's usual
# client (fasthttp) sends a request again when its connection ended unanswered, a fresh one too, at once and without a word. A service that begins
# to drop connections gets up to five times the rate that was asked for (-r) just then, its own count and the tool's differ, a sign-on counts as
# five, and the latency of one hit is that of all five.
# Seen, every connection closed without an answer, -n 20: 20 errors, and the service has 100 requests, GET and POST alike.
# With --http1, which is Go's own client, it has 20.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
GOBIN="$dir" go install github.com/codesenberg/bombardier@v1.2.6 2>/dev/null
cat > talk.py <<'PY'
import json, socket, subprocess, sys, threading

listener = socket.create_server(("127.0.0.1", 0))
seen = []


def serve(conn):
    with conn, conn.makefile("rb") as stream:
        if line := stream.readline():
            length = 0
            while (field := stream.readline()).strip():
                name, value = field.split(b":", 1)
                length = int(value) if name.lower() == b"content-length" else length
            stream.read(length)
            seen.append(line.split()[0])


def accept():
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
for method, *more in (("GET",), ("POST", "-b", "{}"), ("POST", "-b", "{}", "--http1")):
    seen.clear()
    out = subprocess.run([sys.argv[1], "-c", "2", "-n", "20", "-m", method, *more, "-p", "r", "-o", "json", f"http://127.0.0.1:{listener.getsockname()[1]}/"],
                         capture_output=True, text=True, timeout=40, check=True).stdout
    print(method, *more[2:], "errors:", sum(e["count"] for e in json.loads(out)["result"]["errors"]), "sent:", len(seen))
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir/bombardier"); echo "$seen"
[ "$seen" = 'GET errors: 20 sent: 100
POST errors: 20 sent: 100
POST --http1 errors: 20 sent: 20' ] || { echo "changed"; exit 1; }
