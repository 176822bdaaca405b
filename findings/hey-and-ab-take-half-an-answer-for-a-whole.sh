#!/usr/bin/env bash
# github.com/rakyll/hey v0.1.5 and ab of apache2-utils 2.4.71 (Debian 12): an answer that breaks off in the middle is a good one.
#
# Content-Length says how much is to come, and a client must take an answer that ends before for incomplete (RFC 9112 section 8). Both load
# tools read until the connection ends and look at the status alone. A service that crashes while it writes, or a gateway whose own time-out cuts
# an answer, has a clean result, and a quicker one, for half an answer is sooner over. ab notices another length than the first answer's, until it is
# told with -l that lengths vary, as those of answers with tokens do.
# Seen, each second answer ends after 4 of 100 bytes: hey -n 20: [200] 20 responses, no error; ab -l -n 20: 20 complete, 0 failed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
GOBIN="$dir" go install github.com/rakyll/hey@v0.1.5 2>/dev/null
apt-get download -qq apache2-utils=2.4.71-1~deb12u1 libapr1 libaprutil1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import itertools, re, socket, subprocess, sys, threading

listener = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
turn = itertools.count(1)


def serve(conn):
    """Answers one request: each second time with 4 bytes of 100."""
    with conn, conn.makefile("rwb") as stream:
        if not stream.readline():
            return
        while stream.readline().strip():
            pass
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n")
        stream.write(b"half" if next(turn) % 2 == 0 else b"x" * 100)


def accept():
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
said = lambda *args: subprocess.run([*args, url], capture_output=True, text=True, timeout=40, check=True).stdout
hey = said(f"{sys.argv[1]}/hey", "-n", "20", "-c", "2")
ab = said(f"{sys.argv[1]}/usr/bin/ab", "-q", "-l", "-n", "20", "-c", "2")
print("hey:", *re.findall(r"\[\d+\]\s+\d+ responses", hey), "errors" if "Error" in hey else "no error", "| ab:",
      *(re.search(name + r"\s+(\d+)", ab)[1] + " " + word for name, word in (("Complete requests:", "complete"), ("Failed requests:", "failed"))))
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir" | tr -s '\t ' ' '); echo "$seen"
[ "$seen" = 'hey: [200] 20 responses no error | ab: 20 complete 0 failed' ] || { echo "changed"; exit 1; }
