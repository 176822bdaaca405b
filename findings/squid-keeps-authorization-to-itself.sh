#!/usr/bin/env bash
# squid 5.7 (Debian 12): in front of a service (cache_peer originserver) it keeps the header Authorization to itself, so that each call with a
# bearer token is refused by the service as one without.
#
# A reverse proxy passes the credentials on that are meant for the service behind it. Squid takes a peer for another proxy, whose passwords
# are not the client's, even where it is told that the peer is the origin; a word of the same line, login=PASSTHRU, which reads as if it were
# about the peer's own password, passes them on. Every other header comes through, and the service's log shows calls that carry no token.
# Seen: originserver alone: service has no Authorization; with login=PASSTHRU: the one that was sent.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 777 .
apt-get download -qq squid=5.7-2+deb12u6 squid-common=5.7-2+deb12u6 squid-langpack libecap3 libltdl7 libnetfilter-conntrack3 libnfnetlink0 libmnl0 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import http.client, http.server, socket, subprocess, sys, threading, time

seen = []


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.path == "/":
            seen.append(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = answer

    def log_message(self, *_):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
root, login = sys.argv[1], sys.argv[2]
with open("squid.conf", "w") as file:
    file.write(f"""http_port 127.0.0.1:{port} accel defaultsite=localhost
cache_peer 127.0.0.1 parent {service.server_port} 0 no-query originserver {login}
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
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request("GET", "/", headers={"Authorization": "Bearer one"})
    client.getresponse().read()
    print(login or "nothing", "said:", seen[-1], flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(for login in "" login=PASSTHRU; do timeout -s INT 60 python3 talk.py "$dir" "$login"; done); echo "$seen"
[ "$seen" = 'nothing said: None
login=PASSTHRU said: Bearer one' ] || { echo "changed"; exit 1; }
