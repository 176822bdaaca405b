#!/usr/bin/env bash
# sslh 1.20 (Debian 12): a connection that was opened ahead of its first request belongs to the ssh server by the time the request comes.
#
# sslh shares a port out by the first bytes that a client sends. Clients with a pool open connections ahead of time, and browsers do; for HTTP
# such a connection is as good as any other, and one would expect its first bytes to be looked at whenever they come. A client that says nothing
# for five seconds (timeout) is taken for one of ssh, which waits for the server's greeting. The client finds that greeting in place of an
# answer, and its request goes to the ssh server. At a high rate all is well: only calls after a pause, or the first of a pool, fail.
# Seen: a request at once: the service's 200. On a connection on which ssh was connected first: "SSH-2.0-…", and the service got nothing.
# Whoever puts sslh before a service gives on-timeout the protocol of the service, and has no pool filled ahead.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq sslh=1.20-1+deb12u1 libconfig9 libcap2 libpcre3 libwrap0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu:$dir/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import socket, subprocess, sys, threading, time

asked = []
greeted = threading.Event()
request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def serve(listener, first):
    """Serves as ssh does, where first is given: it greets; else as a web server, which waits for a request."""
    while True:
        conn, _ = listener.accept()
        if first:
            conn.sendall(first)
            greeted.set()
        else:
            asked.append(conn.recv(4096))
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def start(first):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, first), daemon=True).start()
    return listener.getsockname()[1]


web, ssh = start(b""), start(b"SSH-2.0-finding\r\n")
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
root = sys.argv[1]
daemon = subprocess.Popen([f"{root}/usr/sbin/sslh-select", "-f", "-n", "-P", f"{root}/pid", "--listen", f"127.0.0.1:{port}",
                           "--ssh", f"127.0.0.1:{ssh}", "--http", f"127.0.0.1:{web}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            at_once = socket.create_connection(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.1)
    at_once.sendall(request)
    print("at once:", at_once.recv(4096).split(b"\r\n")[0].decode(), "| the service got", len(asked))
    ahead = socket.create_connection(("127.0.0.1", port))
    greeted.wait(60)
    ahead.sendall(request)
    print("ahead:", ahead.recv(4096).split(b"\r\n")[0].decode(), "| the service got", len(asked))
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'at once: HTTP/1.1 200 OK | the service got 1
ahead: SSH-2.0-finding | the service got 1' ] || { echo "changed"; exit 1; }
