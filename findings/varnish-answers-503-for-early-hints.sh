#!/usr/bin/env bash
# varnish 7.1.1 (Debian 12): a service that says 103 Early Hints before its answer is answered for with 503 Backend fetch failed.
#
# RFC 9110 section 15.2 lets a server send interim answers before the final one to any client of HTTP/1.1, and a proxy must pass on or drop
# what it does not know. Varnish 7.1 takes the interim answer for the whole one and fails, so that a service which begins to send hints goes
# down behind it, though each of its answers is right.
# Seen: without hints 200, with 103 Early Hints before the answer 503.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1 libjemalloc2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu:$dir/usr/lib/$(uname -m)-linux-gnu/varnish
cat > talk.py <<'PY'
import http.client, socket, subprocess, sys, threading, time

listener = socket.create_server(("127.0.0.1", 0))


def serve(conn):
    """Answers with the interim answer that the path asks for, if any, and then with 200."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        while stream.readline().strip():
            pass
        if b"/103" in line:
            stream.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        stream.flush()


def accept():
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
daemon = subprocess.Popen([sys.argv[1], "-F", "-j", "none", "-n", sys.argv[2], "-a", f"127.0.0.1:{port}", "-b", "127.0.0.1:%d" % listener.getsockname()[1],
                           "-s", "malloc,32m", "-p", "vsl_space=4M"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for path in ("/none", "/103"):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("GET", path)
        print(path, client.getresponse().status, flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir/usr/sbin/varnishd" "$dir/varnish"); echo "$seen"
[ "$seen" = '/none 200
/103 503' ] || { echo "changed"; exit 1; }
