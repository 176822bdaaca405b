#!/usr/bin/env bash
# python3-requests 2.28.1 with python3-urllib3 1.26.12 (Debian 12): HTTPAdapter(max_retries=2), which is for connections that fail, sends a GET three times
# that was answered 429 or 503, if the answer has Retry-After.
#
# Its documentation says of max_retries that a request whose data reached the server is never sent again, so that it is safe to set. It is handed to
# urllib3, which has an opinion of its own on Retry-After, whatever statuses it was told to try again on: none. A test of a limiter sees no 429 but
# a pause, as long as the service asks for, be it an hour, and counts three calls as one. Without the header, and for POST, all is as it is said.
# Seen, max_retries 2, Retry-After 1: GET 429 and 503: 3 requests, 2 s; PUT and DELETE too; POST: 1; GET without the header: 1; 500 with it: 1;
# max_retries 0: 1.
# Whoever wants tries of connections alone mounts Retry(connect=2, read=0, status=0, respect_retry_after_header=False).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq python3-requests=2.28.1+dfsg-1 python3-urllib3=1.26.12-1+deb12u4 python3-certifi python3-chardet python3-charset-normalizer python3-idna python3-six 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat > talk.py <<'PY'
import http.server, threading, time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

asked = []


class Service(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked.append(self.path)
        self.send_response(int(self.path[1:4]))
        if self.path.endswith("later"):
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=service.serve_forever, daemon=True).start()
connect = Retry(connect=2, read=0, status=0, respect_retry_after_header=False)
for retries, method, path in [(2, "GET", "/429"), (2, "GET", "/429/later"), (2, "GET", "/503/later"), (2, "PUT", "/429/later"), (2, "DELETE", "/429/later"),
                              (2, "POST", "/429/later"), (2, "GET", "/500/later"), (0, "GET", "/429/later"), (connect, "GET", "/429/later")]:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(max_retries=retries))
    asked.clear()
    start = time.monotonic()
    status = session.request(method, f"http://127.0.0.1:{service.server_port}{path}").status_code
    name = "connect alone" if retries is connect else retries
    print(name, method, path, status, len(asked), "waited" if time.monotonic() - start > 1.5 else "at once")
PY
seen=$(PYTHONPATH=$dir/usr/lib/python3/dist-packages timeout 60 /usr/bin/python3 talk.py); echo "$seen"
[ "$seen" = '2 GET /429 429 1 at once
2 GET /429/later 429 3 waited
2 GET /503/later 503 3 waited
2 PUT /429/later 429 3 waited
2 DELETE /429/later 429 3 waited
2 POST /429/later 429 1 at once
2 GET /500/later 500 1 at once
0 GET /429/later 429 1 at once
connect alone GET /429/later 429 1 at once' ] || { echo "changed"; exit 1; }
