#!/usr/bin/env bash
# libapache2-mod-security2 2.9.7 (Debian 12), with the rules that it recommends: JSON with more than 1,000 values is "Failed to parse request body".
#
# The parser takes each value of a document for an argument of the request, and stops at SecArgumentsLimit, which is 1,000 and stands in no file
# of the package. A list of 1,001 numbers, some 4 kB, is answered 400 with Apache's page, and the log says that the body is broken: one looks
# for a fault in the JSON, of which there is none. The limits that the recommended file does name (128 kB, 512 levels) are far away.
# Seen: a list of 1,000 came to the service, one of 1,001 was refused with 400; the service saw one request.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq apache2-bin=2.4.71-1~deb12u1 libapr1 libaprutil1 libapache2-mod-security2=2.9.7-1+deb12u2 modsecurity-crs=3.3.4-1+deb12u3 liblua5.1-0 libyajl2 libcurl3-gnutls libxml2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu
cat > talk.py <<'PY'
import http.client, json, os, socket, subprocess, sys, threading, time

seen = []
listener = socket.create_server(("127.0.0.1", 0))
service = listener.getsockname()[1]


def serve(conn):
    """Answers each request with 200."""
    stream = conn.makefile("rwb")
    while line := stream.readline():
        length = 0
        while (field := stream.readline()).strip():
            name, value = field.decode().split(":", 1)
            if name.lower() == "content-length":
                length = int(value)
        stream.read(length)
        seen.append(line)
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        stream.flush()
    stream.close()
    conn.close()



def accept():
    while True:
        try:
            conn, _ = listener.accept()
        except OSError:
            return  # it is closed
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
root = sys.argv[1]
modules = "".join(f"LoadModule {m}_module {root}/usr/lib/apache2/modules/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "proxy", "proxy_http", "unique_id"))
user = "User nobody\nGroup nogroup\n" if os.getuid() == 0 else ""
with open("config", "w") as file:
    file.write(f"""ServerName localhost
PidFile {root}/pid
ErrorLog {root}/error.log
Mutex file:{root} default
{modules}{user}Listen 127.0.0.1:{port}
LoadModule security2_module {root}/usr/lib/apache2/modules/mod_security2.so
SecDataDir {root}
Include {root}/etc/modsecurity/modsecurity.conf-recommended
SecRuleEngine On
SecAuditEngine Off
ProxyPass / http://127.0.0.1:{service}/
""")
args = [f"{root}/usr/sbin/apache2", "-d", root, "-f", f"{root}/config", "-DFOREGROUND"]
daemon = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    def post(value):
        body = json.dumps(value).encode()
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("POST", "/", body, {"Host": "localhost", "Content-Type": "application/json", "Accept": "*/*", "User-Agent": "tv"})
        return client.getresponse().status

    print(post(list(range(1000))), post(list(range(1001))), "the service saw", len(seen), "| log:", "Failed to parse request body" in open("error.log").read(), flush=True)
finally:
    daemon.terminate()
    daemon.wait()
PY
seen=$(timeout -s INT 90 python3 talk.py "$dir"); echo "$seen"
[ "$seen" = '200 400 the service saw 1 | log: True' ] || { echo "changed"; exit 1; }
