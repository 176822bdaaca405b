#!/usr/bin/env bash
# tinyproxy 1.11.1 (Debian 12): it answers in HTTP/1.1, says nothing of closing, and closes the connection behind each answer.
#
# In HTTP/1.1 a connection goes on unless one side says Connection: close, and a server that keeps none must say so in every answer (RFC 9112
# section 9.6). A client that goes by the answer keeps the connection for its next request, and whether that is lost is a race with the end: at a
# low rate all is well, and the busier the client, the more of its POST requests, which must not be sent again, end in a reset.
# Seen: the answer began with HTTP/1.1 200 and had a length and no Connection; the connection was closed at once, though the service kept its own.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq tinyproxy-bin=1.11.1-2.1+deb12u1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import os, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))
service = listener.getsockname()[1]


def serve(conn):
    """Answers each request with 200, and keeps the connection."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        length = 0
        while (field := stream.readline()).strip():
            name, value = field.decode().split(":", 1)
            if name.lower() == "content-length":
                length = int(value)
        stream.read(length)
        seen.append(line)
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        stream.flush()
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
    file.write(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\n")
args = [f"{root}/usr/bin/tinyproxy", "-d", "-c", f"{root}/config"]
daemon = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as conn:
        conn.sendall(f"POST http://127.0.0.1:{service}/ HTTP/1.1\r\nHost: 127.0.0.1:{service}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        answer = b""
        while more := conn.recv(4096):  # until it is closed
            answer += more
    lines = answer.lower().split(b"\r\n")
    print(answer.split(b"\r\n")[0].decode(), "| length:", b"content-length: 2" in lines, "| says close:", any(l.startswith(b"connection:") for l in lines), "| closed: True", flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'HTTP/1.1 200 OK | length: True | says close: False | closed: True' ] || { echo "changed"; exit 1; }
