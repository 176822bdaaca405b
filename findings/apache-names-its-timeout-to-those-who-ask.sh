#!/usr/bin/env bash
# apache2 2.4.71 (Debian 12): the header Keep-Alive with the idle time-out comes only to a client that says Connection: keep-alive, and its
# max counts the requests that are left, so that a connection carries one more than MaxKeepAliveRequests.
#
# Connections of HTTP/1.1 are kept without a word, and many clients (Go's net/http for one) send none. They are closed after the same 5 s and
# told nothing, though the server has the answer ready: a client that would stay away from the time-out cannot know it. One reads "max=100"
# as 100 requests in all; the first answer says it already.
# Seen, KeepAliveTimeout 5, MaxKeepAliveRequests 100: without the header no Keep-Alive; with it timeout=5, max=99 on the second request;
# Connection: close comes with answer 101.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
mkdir pages; echo ok > pages/page
cat > talk.py <<'PY'
import http.client, os, socket, subprocess, sys, time

root = sys.argv[1]
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
user = "User nobody\nGroup nogroup\n" if os.getuid() == 0 else ""
with open("apache.conf", "w") as file:
    file.write(f"""ServerName localhost
PidFile {root}/pid
ErrorLog {root}/error.log
Mutex file:{root} default
LoadModule mpm_event_module {root}/usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module {root}/usr/lib/apache2/modules/mod_authz_core.so
{user}Listen 127.0.0.1:{port}
DocumentRoot {root}/pages
KeepAliveTimeout 5
MaxKeepAliveRequests 100
""")
daemon = subprocess.Popen([f"{root}/usr/sbin/apache2", "-d", root, "-f", f"{root}/apache.conf", "-DFOREGROUND"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(1, 200):
        client.request("GET", "/page", headers={"Connection": "keep-alive"} if number == 2 else {})
        answer = client.getresponse()
        answer.read()
        if number <= 2:
            print(f"request {number}: {answer.getheader('Keep-Alive')}", flush=True)
        if answer.getheader("Connection") == "close":
            print(f"closed with answer {number}", flush=True)
            break
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 60 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = 'request 1: None
request 2: timeout=5, max=99
closed with answer 101' ] || { echo "changed"; exit 1; }
