#!/usr/bin/env bash
# haproxy 2.6.12 (Debian 12), with Python's http.client: a POST on a connection that was opened ahead of time is answered 408 at once,
# and never reaches the service.
#
# A client may open connections before it needs them. HAProxy sends an answer 408 on a connection that has carried nothing when timeout
# http-request is over, and closes it. A client that does not look for unasked bytes sends its request, finds the answer there, and takes
# it for its own: the user sees a time-out of a request that took a millisecond. On a connection that has carried a request it closes silently.
# Seen, timeout http-request 1s: connection opened 2 s before the POST: 408, the service saw nothing; kept one: closed; fresh one: 200.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import http.client, http.server, socket, subprocess, sys, threading, time

seen = []


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
service.handle_error = lambda *_: None  # HAProxy resets what it does not need
threading.Thread(target=service.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
with open("haproxy.conf", "w") as file:
    file.write(f"""defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
  timeout http-request 1s
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server one 127.0.0.1:{service.server_port}
""")


def post(client, path):
    try:
        client.request("POST", path)
        answer = client.getresponse()
        answer.read()
        return answer.status
    except (http.client.RemoteDisconnected, ConnectionError):
        return "closed"


daemon = subprocess.Popen([sys.argv[1], "-db", "-f", "haproxy.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    early, kept, fresh = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(3))
    early.connect()
    post(kept, "/first")
    time.sleep(2)
    print("opened early:", post(early, "/early"), "kept:", post(kept, "/kept"), "fresh:", post(fresh, "/fresh"), "service:", *seen, flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 60 python3 talk.py "$dir/usr/sbin/haproxy"); echo "$seen"
[ "$seen" = 'opened early: 408 kept: closed fresh: 200 service: /first /fresh' ] || { echo "changed"; exit 1; }
