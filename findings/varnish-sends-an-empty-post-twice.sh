#!/usr/bin/env bash
# varnish 7.1.1 (Debian 12): a POST without a body is sent to the service twice when a kept connection ends unanswered; one with a body is not.
#
# A POST is not idempotent, so one would expect a proxy to send it once and to answer 503. Varnish looks at the body alone: where there is
# none to send again, it takes a fresh connection and repeats the request, whatever the method. A service that took the request and then
# went down, or let the connection go, gets it twice, and a refresh that spends a token spends it twice. The client sees 200.
# Seen: empty body: client 200, the service has 2 requests; body of 2 bytes: client 503, the service has 1.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1 libjemalloc2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu:$dir/usr/lib/$(uname -m)-linux-gnu/varnish
cat > talk.py <<'PY'
import http.client, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))


def serve(conn):
    """Answers the first request of a connection, and takes the second without an answer when it is asked to."""
    stream, first = conn.makefile("rwb"), True
    while line := stream.readline():
        size = 0
        while (field := stream.readline().strip()):
            if field.lower().startswith(b"content-length:"):
                size = int(field.split(b":")[1])
        stream.read(size)
        seen.append(line)
        if b"/lost" in line and not first:
            break
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        stream.flush()
        first = False
    stream.close()
    conn.shutdown(socket.SHUT_RDWR)
    conn.close()


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
    for body in (b"", b"ab"):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("POST", "/kept", b"ab")
        client.getresponse().read()
        seen.clear()
        client.request("POST", "/lost", body)
        print(f"body of {len(body)} bytes: client {client.getresponse().status}, the service has {len(seen)}", flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir/usr/sbin/varnishd" "$dir/varnish"); echo "$seen"
[ "$seen" = 'body of 0 bytes: client 200, the service has 2
body of 2 bytes: client 503, the service has 1' ] || { echo "changed"; exit 1; }
