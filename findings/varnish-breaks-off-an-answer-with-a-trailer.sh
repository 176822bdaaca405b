#!/usr/bin/env bash
# varnish 7.1.1 (Debian 12): an answer whose chunked body has a trailer or a chunk extension is whole at the service and broken off, or a 503, behind it.
#
# A chunked body may have fields behind it, and each chunk an extension, which whoever does not know must pass over (RFC 9112 sections 7.1.1, 7.1.2).
# Varnish takes both for an error. It has often sent status 200 and the body by then, so that the client has a good answer that does not end: curl
# says 18 and has all of the body, and a client that looks at the status alone, as some load tools do, calls it a success. Where the error was seen
# in time it is 503. A service that begins to send Server-Timing or a checksum as a trailer goes down behind it, now and then or always.
# Seen, 10 requests each: plain chunks: 10 whole; with a trailer: none whole, each 503 or broken off; with an extension of the first chunk: none whole;
# directly: all whole.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1 libjemalloc2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu:$dir/usr/lib/$(uname -m)-linux-gnu/varnish
cat > talk.py <<'PY'
import http.client, socket, subprocess, sys, threading, time

listener = socket.create_server(("127.0.0.1", 0))
bodies = {
    b"/plain": b"2\r\n{}\r\n0\r\n\r\n",
    b"/trailer": b"2\r\n{}\r\n0\r\nx-sum: 1\r\n\r\n",
    b"/extension": b"2;a=b\r\n{}\r\n0\r\n\r\n",
}


def serve(conn):
    with conn, conn.makefile("rwb") as stream:
        line = stream.readline()
        while stream.readline().strip():
            pass
        if line:
            stream.write(b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + bodies[line.split()[1]])


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def ask(to, path):
    client = http.client.HTTPConnection("127.0.0.1", to, timeout=10)
    client.request("POST", path, b"")
    try:
        answer = client.getresponse()
        return "whole" if answer.read() == b"{}" and answer.status == 200 else str(answer.status)
    except (http.client.IncompleteRead, ConnectionError):
        return "broken off"


threading.Thread(target=accept, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
service = listener.getsockname()[1]
daemon = subprocess.Popen([sys.argv[1], "-F", "-j", "none", "-n", sys.argv[2], "-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{service}",
                           "-s", "malloc,32m", "-p", "vsl_space=4M"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for path in ("/plain", "/trailer", "/extension"):
        for name, to in (("directly", service), ("varnish", port)):
            said = [ask(to, path) for _ in range(10)]
            print(path, name, said.count("whole"), "whole,", said.count("503") + said.count("broken off"), "503 or broken off", flush=True)
            print({one: said.count(one) for one in said}, file=sys.stderr)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir/usr/sbin/varnishd" "$dir/varnish"); echo "$seen"
[ "$seen" = '/plain directly 10 whole, 0 503 or broken off
/plain varnish 10 whole, 0 503 or broken off
/trailer directly 10 whole, 0 503 or broken off
/trailer varnish 0 whole, 10 503 or broken off
/extension directly 10 whole, 0 503 or broken off
/extension varnish 0 whole, 10 503 or broken off' ] || { echo "changed"; exit 1; }
