#!/usr/bin/env bash
# siege 4.0.7 (Debian 12): a request that is answered 401 is sent five times, and each of the five is a successful transaction; one that is answered
# 403 or 429 is neither successful nor failed; half an answer is successful.
#
# One gives it a number of requests and reads availability and failed_transactions. A 401 is for siege the start of a talk about passwords: it sends
# the request again, five times in all, whether or not it was given a password, a POST too, so that a load with a wrong password locks accounts
# five times as fast as its number says. All of these count as transactions that went well. Failed is what has a status from 500 on, or no
# answer at all: a service that turns everybody away at its limit has an availability of 100 % and no failure. An answer that breaks off before
# its Content-Length, which a client must take for incomplete (RFC 9112 section 8), went well too.
# Seen, of 6 requests each: as in the last lines below.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq siege=4.0.7-1+b1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export HOME=$dir
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
url = f"http://127.0.0.1:{service.server_address[1]}/"
for what in ["200", "401", "401 POST {}", "403", "429", "503", "half"]:
    asked.clear()
    run = subprocess.run([f"{root}/usr/bin/siege", "-R", f"{root}/etc/siege/siegerc", "-b", "-c", "1", "-r", "6", "--no-parser", url + what],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    said = dict(re.findall(r'"(\w+)":\s*([\d.]+)', run.stdout))
    print(f"{what}: sent {len(asked)}, transactions {said['transactions']}, availability {said['availability']}, "
          f"successful {said['successful_transactions']}, failed {said['failed_transactions']}")
PY
seen=$(timeout -s INT 120 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = '200: sent 6, transactions 6, availability 100.00, successful 6, failed 0
401: sent 30, transactions 30, availability 100.00, successful 30, failed 0
401 POST {}: sent 30, transactions 30, availability 100.00, successful 30, failed 0
403: sent 6, transactions 6, availability 100.00, successful 0, failed 0
429: sent 6, transactions 6, availability 100.00, successful 0, failed 0
503: sent 6, transactions 0, availability 0.00, successful 0, failed 6
half: sent 6, transactions 6, availability 100.00, successful 6, failed 0' ] || { echo "changed"; exit 1; }
