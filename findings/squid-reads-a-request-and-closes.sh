#!/usr/bin/env bash
# squid 5.7 (Debian 12): a request that comes on a connection whose idle time is over is read, thrown away, and the connection is closed.
#
# A server may close an idle connection at any time, and a client that has seen no close sends its next request there. One would expect
# the server to answer what it reads. Squid looks at its time-outs once a second, between events: where the next event is the request
# itself, it reads the request first and then ends the connection, without an answer and without passing the request on. The client
# sees the same as when a service dies in the middle of a request, and must not send a POST again. With the usual 2 minutes it hits requests
# in the second after them.
# Seen, client_idle_pconn_timeout 1 second, second POST after 1.6 s without one, on 8 connections: most of them closed without an answer, none
# of those at the service; the others were closed before, as the client could see.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 777 .
apt-get download -qq squid=5.7-2+deb12u6 squid-common=5.7-2+deb12u6 squid-langpack libecap3 libltdl7 libnetfilter-conntrack3 libnfnetlink0 libmnl0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import http.server, select, socket, subprocess, sys, threading, time

seen = []


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(2)
        seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def post(conn, path):
    conn.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab" % path)
    answer = b""
    while not answer.endswith(b"ok") and (more := conn.recv(4096)):
        answer += more
    return answer


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
root = sys.argv[1]
with open("squid.conf", "w") as file:
    file.write(f"""http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {service.server_port} 0 no-query originserver
http_access allow all
client_idle_pconn_timeout 1 seconds
cache deny all
cache_effective_user nobody
mime_table {root}/usr/share/squid/mime.conf
icon_directory {root}/usr/share/squid/icons
error_directory {root}/usr/share/squid-langpack/templates
pid_filename {root}/pid
cache_log {root}/cache.log
access_log none
coredump_dir {root}
visible_hostname gateway
pinger_enable off
netdb_filename none
shutdown_lifetime 1 seconds
""")
daemon = subprocess.Popen([f"{root}/usr/sbin/squid", "-N", "-f", f"{root}/squid.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    time.sleep(2)
    closed, lost = 0, 0
    for i in range(8):
        time.sleep(1 - time.time() % 1 + i % 4 / 4)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as conn:
            assert post(conn, b"/first")
            time.sleep(1.6)
            if select.select([conn], [], [], 0)[0]:
                closed += 1
            elif not post(conn, b"/second"):
                lost += 1
    seconds = seen.count("/second")
    print(f"of 8, closed without an answer {lost}, closed before {closed}, at the service {seconds}", flush=True)
    sys.exit(0 if lost >= 1 and seconds == 8 - closed - lost else 1)
finally:
    daemon.terminate()
    daemon.wait()
PY
timeout -s INT 60 python3 talk.py "$dir" || { echo "changed"; exit 1; }
