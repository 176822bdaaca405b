#!/usr/bin/env bash
# haproxy 2.6.12 (Debian 12): in front of a service that answers in HTTP/1.0, its clients get HTTP/1.0 and lose their connection each time.
#
# The version in an answer is that of whoever sends it, and says what he can do: a gateway must put in its own (RFC 9112 section 2.3). nginx, Apache, Squid, Varnish and Caddy make an answer of HTTP/1.1 out of it, with chunks where the length is not known, and keep
# the client's connection. HAProxy passes version and all on, so that an old service behind it costs each call of a client a connection, and
# a client that looks at the version takes the gateway for one of HTTP/1.0.
# Seen: the answer began with HTTP/1.0, had no chunks, and the connection was closed behind it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import os, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))
service = listener.getsockname()[1]


def serve(conn):
    """Answers each request as servers of HTTP/1.0 do, and closes."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        length = 0
        while (field := stream.readline()).strip():
            name, value = field.decode().split(":", 1)
            if name.lower() == "content-length":
                length = int(value)
        stream.read(length)
        seen.append(line)
        stream.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}")
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
    file.write(f"""defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server one 127.0.0.1:{service}
""")
args = [f"{root}/usr/sbin/haproxy", "-db", "-f", f"{root}/config"]
daemon = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as conn:
        conn.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while more := conn.recv(4096):
            answer += more
    lines = answer.lower().split(b"\r\n")
    print(answer.split(b"\r\n")[0].decode(), "| chunked:", b"transfer-encoding: chunked" in lines, "| closed: True", flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'HTTP/1.0 200 OK | chunked: False | closed: True' ] || { echo "changed"; exit 1; }
