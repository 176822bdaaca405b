#!/usr/bin/env bash
# haproxy 2.6.12 and apache2 2.4.71 (Debian 12): a service that goes down is answered for with 502 on a client's first request, and with
# nothing, a closed connection, on a later one.
#
# One would expect a gateway whose service ends a connection unanswered to say 502 always. Both close the client's connection without a word
# where client and service were on kept connections, so that the client may send its request again. A client of POST, which must not, sees a
# lost connection and blames the network, and a count of 502s holds none of these.
# Seen, both: first request on a fresh connection: 502; second request on a kept one: closed without an answer; the service had each once.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq haproxy=2.6.12-1+deb12u4 apache2-bin=2.4.71-1~deb12u1 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 libapr1 libaprutil1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import http.client, os, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))
service = "127.0.0.1:%d" % listener.getsockname()[1]


def serve(conn):
    """Answers each request but those for /lost, after which it closes."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        while stream.readline().strip():
            pass
        stream.read(2)
        seen.append(line)
        if b"/lost" in line:
            break
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        stream.flush()
    stream.close()
    conn.shutdown(socket.SHUT_RDWR)
    conn.close()


def accept():
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


def ask(client, path):
    seen.clear()
    try:
        client.request("POST", path, b"ab")
        answer = client.getresponse()
        answer.read()
        return f"{answer.status}, service had {len(seen)}"
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return f"closed, service had {len(seen)}"


threading.Thread(target=accept, daemon=True).start()
root = sys.argv[1]
for name in ("haproxy", "apache2"):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = f"{root}/{name}.conf"
    modules = "".join(f"LoadModule {m}_module {root}/usr/lib/apache2/modules/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "proxy", "proxy_http"))
    user = "User nobody\nGroup nogroup\n" if os.getuid() == 0 else ""
    text = {
        "haproxy": f"""defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server one {service}
""",
        "apache2": f"""ServerName localhost
PidFile {root}/pid
ErrorLog {root}/error.log
Mutex file:{root} default
{modules}{user}Listen 127.0.0.1:{port}
ProxyPass / http://{service}/
"""}[name]
    with open(config, "w") as file:
        file.write(text)
    args = {"haproxy": ["-db", "-f", config], "apache2": ["-d", root, "-f", config, "-DFOREGROUND"]}[name]
    daemon = subprocess.Popen([f"{root}/usr/sbin/{name}"] + args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        first = ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), "/lost")
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        ask(client, "/kept")
        print(f"{name}: first request: {first}; second: {ask(client, '/lost')}", flush=True)
    finally:
        daemon.terminate()
        daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'haproxy: first request: 502, service had 1; second: closed, service had 1
apache2: first request: 502, service had 1; second: closed, service had 1' ] || { echo "changed"; exit 1; }
