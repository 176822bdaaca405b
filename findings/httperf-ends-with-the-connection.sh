#!/usr/bin/env bash
# httperf 0.9.0 (Debian 12): a connection that the service closes as it said ends all calls that were still to come on it, and the report is the same
# as of answers that break off.
#
# With --num-conns 2 --num-calls 6 one counts on 12 calls. A service may end a connection behind any answer with Connection: close (RFC 9112 section
# 9.6), and gateways do so on a reload or after a number of requests; other tools open another one and go on. httperf drops what was left of the
# connection's calls, and counts one error, connreset. So a service that keeps no connections gets a sixth of the load, at a sixth of the rate. A
# service that breaks its answers off in the middle has the same report, since half an answer is counted as a reply, with status 2xx.
# Seen: keeping: 12 asked, 12 replies, no error. Closing as it said, or in the middle: 2 asked, 2 replies with 2xx, 2 errors, all connreset.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq httperf=0.9.0-9+b2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat > talk.py <<'PY'
import http.server, re, socket, subprocess, sys, threading

asked = []


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked.append(self.path)
        what = self.path[1:]
        self.send_response(int(what) if what.isdigit() else 200)
        self.send_header("Content-Length", "8")
        if what == "close":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"half" if what == "half" else b"complete")
        self.wfile.flush()
        if what == "half":
            self.connection.shutdown(socket.SHUT_WR)
            self.close_connection = True

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


service = Server(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
root = sys.argv[1]
for what in ["keep", "close", "half"]:
    asked.clear()
    run = subprocess.run([f"{root}/usr/bin/httperf", "--server", "127.0.0.1", "--port", str(service.server_address[1]), "--uri", f"/{what}",
                          "--num-conns", "2", "--num-calls", "6"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    replies = re.search(r"replies (\d+)", run.stdout)[1]
    good = re.search(r"2xx=(\d+)", run.stdout)[1]
    errors, reset = re.search(r"Errors: total (\d+) .*connreset (\d+)", run.stdout).groups()
    print(f"{what}: asked {len(asked)}, replies {replies}, 2xx {good}, errors {errors}, connreset {reset}, exit {run.returncode}")
PY
seen=$(timeout -s INT 120 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'keep: asked 12, replies 12, 2xx 12, errors 0, connreset 0, exit 0
close: asked 2, replies 2, 2xx 2, errors 2, connreset 2, exit 0
half: asked 2, replies 2, 2xx 2, errors 2, connreset 2, exit 0' ] || { echo "changed"; exit 1; }
