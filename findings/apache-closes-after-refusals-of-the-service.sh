#!/usr/bin/env bash
# apache2 2.4.71 (Debian 12): in front of a service, it closes the client's connection behind an answer 400, 500 or 503 of the service.
#
# A refused call says nothing of the connection, and one would expect it to be kept as behind 200, 401, 403 and 404. Apache goes by a list of
# statuses made for its own errors, among them 400, 413, 500, 501 and 503, and takes those of the service for its own. A service that refuses
# many calls with 400, or is short of room with 503, makes each of its clients connect anew, with TLS, just when there is least room for it.
# Seen: of 12 statuses that the service sent on kept connections, 400, 413, 500, 501 and 503 came with Connection: close.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import os, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))
service = listener.getsockname()[1]


def serve(conn):
    """Answers each request with the status that its path names."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        length = 0
        while (field := stream.readline()).strip():
            name, value = field.decode().split(":", 1)
            if name.lower() == "content-length":
                length = int(value)
        stream.read(length)
        seen.append(line)
        status = line.split()[1].decode().strip("/")
        stream.write(f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}".encode())
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
modules = "".join(f"LoadModule {m}_module {root}/usr/lib/apache2/modules/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "proxy", "proxy_http"))
user = "User nobody\nGroup nogroup\n" if os.getuid() == 0 else ""
with open("config", "w") as file:
    file.write(f"""ServerName localhost
PidFile {root}/pid
ErrorLog {root}/error.log
Mutex file:{root} default
{modules}{user}Listen 127.0.0.1:{port}
ProxyPass / http://127.0.0.1:{service}/
""")
args = [f"{root}/usr/sbin/apache2", "-d", root, "-f", f"{root}/config", "-DFOREGROUND"]
daemon = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    closed, kept = [], []
    for status in "200 201 400 401 403 404 409 413 500 501 502 503".split():
        with socket.create_connection(("127.0.0.1", port), timeout=10) as conn:
            conn.sendall(f"POST /{status} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode())
            answer = b""
            while not answer.endswith(b"\r\n\r\n{}") and (more := conn.recv(4096)):
                answer += more
            assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
            (closed if b"Connection: close" in answer else kept).append(status)
    print("closed behind", *closed, "kept behind", *kept, flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'closed behind 400 413 500 501 503 kept behind 200 201 401 403 404 409 502' ] || { echo "changed"; exit 1; }
