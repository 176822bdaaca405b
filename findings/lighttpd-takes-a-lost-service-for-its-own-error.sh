#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 12): a service that ends the connection without an answer is answered for with 500, one that cannot be reached with 503.
#
# 502 Bad Gateway is for a gateway that got no good answer from the service (RFC 9110 section 15.6.3), and that is what nginx, HAProxy, Apache,
# Squid, Caddy, nghttpx and Traffic Server say. lighttpd says 500 Internal Server Error, as a service does that has a fault in itself: whoever
# counts statuses blames the service's code for a crash, a restart or a time-out of a connection, and nothing in the answer tells them apart.
# Seen: a good answer 200; closed without an answer 500; nobody listens 503.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq lighttpd=1.4.69-1 libpcre2-8-0 libnettle8 libxxhash0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import os, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))
service = listener.getsockname()[1]


def serve(conn):
    """Answers each request but those for /lost, after which it closes."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        length = 0
        while (field := stream.readline()).strip():
            name, value = field.decode().split(":", 1)
            if name.lower() == "content-length":
                length = int(value)
        stream.read(length)
        seen.append(line)
        if b"/lost" in line:
            break
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        stream.flush()
        break
    stream.close()
    conn.close()



def accept():
    while True:
        try:
            conn, _ = listener.accept()
        except OSError:
            return  # it is closed
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
root = sys.argv[1]
with open("config", "w") as file:
    file.write(f"""server.modules = ("mod_proxy")
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{root}/error.log"
proxy.server = ("" => (("host" => "127.0.0.1", "port" => "{service}")))
""")
args = [f"{root}/usr/sbin/lighttpd", "-D", "-m", f"{root}/usr/lib/lighttpd", "-f", f"{root}/config"]
daemon = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    def ask(text):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as conn:
            conn.sendall(text.encode())
            return conn.makefile("rb").readline().decode().strip()

    get = "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    good, lost = ask(get % "/good"), ask(get % "/lost")
    listener.close()
    with socket.create_connection(("127.0.0.1", service)):
        pass  # the thread that waits takes it, and ends
    print(good, "|", lost, "|", ask(get % "/good"), flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'HTTP/1.1 200 OK | HTTP/1.1 500 Internal Server Error | HTTP/1.1 503 Service Unavailable' ] || { echo "changed"; exit 1; }
