#!/usr/bin/env bash
# squid 5.7 (Debian 12): a GET or HEAD with a body is refused with 411 Length Required, though its Content-Length is there.
#
# 411 says that a server wants the length of a body (RFC 9110 section 15.5.12), so one looks at the client for a missing header. Squid means
# that it takes no body for these methods (its request_entities is off), which every other gateway of this field passes on or drops. A
# client that sets Content-Type and an empty object on all its calls fails at discovery alone.
# Seen: Content-Length 0: 200; Content-Length 2: 411 and a page; DELETE with the same body: 200.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 777 .
apt-get download -qq squid=5.7-2+deb12u6 squid-common=5.7-2+deb12u6 squid-langpack libecap3 libltdl7 libnetfilter-conntrack3 libnfnetlink0 libmnl0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import http.client, http.server, socket, subprocess, sys, threading, time


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_DELETE = answer

    def log_message(self, *_):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
root = sys.argv[1]
with open("squid.conf", "w") as file:
    file.write(f"""http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {service.server_port} 0 no-query originserver
http_access allow all
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
    for method, body in (("GET", b""), ("GET", b"{}"), ("DELETE", b"{}")):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request(method, "/", body, {"Content-Length": str(len(body))})
        answer = client.getresponse()
        print(method, len(body), answer.status, answer.reason, flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 60 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'GET 0 200 OK
GET 2 411 Length Required
DELETE 2 200 OK' ] || { echo "changed"; exit 1; }
