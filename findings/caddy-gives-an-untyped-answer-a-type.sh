#!/usr/bin/env bash
# caddy 2.6.2 (Debian 12): reverse_proxy gives an answer without Content-Type one that it guesses from the body; JSON becomes text/plain.
#
# A proxy must pass the fields of an answer on, and one that is absent says that the type is not known (RFC 9110 section 8.3). The server
# of Go, on which Caddy stands, looks at the first bytes of any body that no type is set for, and knows no JSON. A client that takes an untyped
# body for JSON, and refuses text/plain, works without the proxy and fails behind it, and a service that forgets the header is not found.
# Seen: directly none, through Caddy "text/plain; charset=utf-8"; with a type of its own the answer keeps it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -qq caddy=2.6.2-5 2>/dev/null
dpkg -x caddy_*.deb .
export HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir
cat > talk.py <<'PY'
import http.client, http.server, socket, subprocess, sys, threading, time


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        if self.path == "/typed":
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open("Caddyfile", "w") as file:
    file.write("{\n  admin off\n  auto_https off\n}\nhttp://127.0.0.1:%d {\n  reverse_proxy 127.0.0.1:%d\n}\n" % (port, service.server_port))
daemon = subprocess.Popen([sys.argv[1], "run", "--config", "Caddyfile", "--adapter", "caddyfile"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    for path in ("/untyped", "/typed"):
        types = []
        for to in (service.server_port, port):
            client = http.client.HTTPConnection("127.0.0.1", to, timeout=10)
            client.request("GET", path)
            types.append(client.getresponse().getheader("Content-Type"))
        print(path, "directly:", types[0], "through Caddy:", types[1], flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 60 python3 talk.py "$dir/usr/bin/caddy"); echo "$seen"
[ "$seen" = '/untyped directly: None through Caddy: text/plain; charset=utf-8
/typed directly: application/json through Caddy: application/json' ] || { echo "changed"; exit 1; }
