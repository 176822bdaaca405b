#!/usr/bin/env bash
# wget 1.21.3 (Debian 12): a POST that gets no answer, or half of one, is sent twenty times.
#
# Images of containers often have wget and no curl, and scripts sign on or refresh with --post-data. Whether a connection ended before the service
# took the request, or behind it, a client cannot know, and would be expected to send a POST once (RFC 9110 section 9.2.2). wget takes it for a download
# that it can begin again: --tries is 20 by default, for every method, with a pause of up to 10 s that hides it in a log as slowness. A service that
# is down for a moment behind its gateway gets the others when it is back: a token is spent and spent again, a wrong password tried twenty times.
# Seen, --waitretry=0 so that there is no pause. Closed without an answer: 20 requests, status 4; closed in the middle of a 201: 20, status 4; 503: 1,
# status 8. With --tries=1: 1 each. curl: 1 each.
# Whoever posts with it sets --tries=1.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"; chmod 755 .
apt-get download -qq wget=1.21.3-1+deb12u1 libpcre2-8-0 libpsl5 libuuid1 libidn2-0 libgnutls30 libnettle8 zlib1g 2>/dev/null
dpkg -x wget_*.deb .; mkdir libs; for deb in lib*.deb zlib*.deb; do dpkg -x "$deb" libs; done
cat > talk.py <<'PY'
import socket, subprocess, sys, threading

asked = []


def serve(conn, answer):
    stream, size = conn.makefile("rwb"), 0
    line = stream.readline()
    while (field := stream.readline().strip()):
        if field.lower().startswith(b"content-length:"):
            size = int(field.split(b":")[1])
    stream.read(size)
    asked.append(line)
    stream.write(answer)
    stream.flush()
    stream.close()
    conn.shutdown(socket.SHUT_RDWR)
    conn.close()


def accept(listener, answer):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], answer), daemon=True).start()


for name, answer in [("none", b""), ("half", b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nhalf"), ("503", b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n")]:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, answer), daemon=True).start()
    url, said = f"http://127.0.0.1:{listener.getsockname()[1]}/ags/refresh", []
    wget = [sys.argv[1], "--no-config", "--no-proxy", "-q", "-O", "-", "--waitretry=0", "--post-data={}", url]
    for command in (wget, [*wget, "--tries=1"], ["curl", "-q", "-s", "--noproxy", "*", "-d", "{}", url]):
        asked.clear()
        status = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=60).returncode
        said.append(f"{len(asked)} sent, status {status}")
    print(f"{name}: {'; '.join(said)}")
PY
seen=$(LD_LIBRARY_PATH=$(echo libs/usr/lib/*-linux-gnu) timeout 100 python3 talk.py "$dir/usr/bin/wget"); echo "$seen"
[ "$seen" = 'none: 20 sent, status 4; 1 sent, status 4; 1 sent, status 52
half: 20 sent, status 4; 1 sent, status 4; 1 sent, status 18
503: 1 sent, status 8; 1 sent, status 8; 1 sent, status 0' ] || { echo "changed"; exit 1; }
