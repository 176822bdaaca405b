#!/usr/bin/env bash
# h2load of nghttp2-client 1.52.0 (Debian 12), --h1: a connection that the service closes between two requests ends the client, and all that it
# had still to send counts as failed.
#
# A server may close a kept connection at any time, and clients open another one (RFC 9112 section 9.5). h2load does so behind an answer that says
# Connection: close, which is what it looks like at first with every gateway. One that closes without the word, at a time-out, at a reload or behind a
# count of requests, takes the client out: its other requests are not sent, and the run says that the service failed them.
# Seen, -n 100 -c 1, closed behind each 10th answer: with the word 100 succeeded; without it 10 succeeded, 90 failed, the service has 10.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq nghttp2-client=1.52.0-1+deb12u3 libev4 libjansson4 libc-ares2 libnghttp2-14 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import re, socket, subprocess, sys, threading

listener = socket.create_server(("127.0.0.1", 0))
seen = []


def serve(conn):
    with conn, conn.makefile("rwb") as stream:
        for n in range(1, 11):
            line = stream.readline()
            if not line:
                return
            while stream.readline().strip():
                pass
            seen.append(line)
            word = b"Connection: close\r\n" if n == 10 and b"/told" in line else b""
            stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + word + b"\r\nok")
            stream.flush()


def accept():
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
for path in "/told", "/untold":
    seen.clear()
    out = subprocess.run([sys.argv[1], "--h1", "-n", "100", "-c", "1", f"http://127.0.0.1:{listener.getsockname()[1]}{path}"],
                         capture_output=True, text=True, timeout=40, check=True).stdout
    print(path, *re.findall(r"\d+ (?:succeeded|failed)", out), "service:", len(seen))
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir/usr/bin/h2load"); echo "$seen"
[ "$seen" = '/told 100 succeeded 0 failed service: 100
/untold 10 succeeded 90 failed service: 10' ] || { echo "changed"; exit 1; }
