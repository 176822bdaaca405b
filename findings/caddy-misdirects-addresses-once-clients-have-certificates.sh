#!/usr/bin/env bash
# caddy 2.6.2 (Debian 12): once a site asks for certificates of clients, a request to its address is answered 421, right certificate or not.
#
# client_auth is an option of one site's TLS, and the handshake with the right certificate ends well. Caddy then also wants the Host of each
# request to be the name of the handshake (strict_sni_host turns itself on), and TLS has no server name for an address (RFC 6066 section 3).
# A health check or a test that used the address before gets "421 Misdirected Request" from the day that certificates are asked for.
# Seen: without client_auth 200 for the name and 200 for the address; with it 200 for the name and 421 for the address.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
apt-get download -qq caddy=2.6.2-5 2>/dev/null
dpkg -x caddy_*.deb .
export HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout key.pem -out cert.pem 2>/dev/null
cat > talk.py <<'PY'
import http.client, socket, ssl, subprocess, sys, time

for name, auth in (("without", ""), ("with", "client_auth {\n      mode require_and_verify\n      trusted_ca_cert_file cert.pem\n    }")):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open("Caddyfile", "w") as file:
        file.write(f"""{{
  admin off
  auto_https off
  default_sni localhost
}}
https://localhost:{port}, https://127.0.0.1:{port} {{
  tls cert.pem key.pem {{
    {auth}
  }}
  respond ok
}}
""")
    daemon = subprocess.Popen([sys.argv[1], "run", "--config", "Caddyfile", "--adapter", "caddyfile"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        seen = []
        for host in ("localhost", "127.0.0.1"):
            context = ssl.create_default_context(cafile="cert.pem")
            context.load_cert_chain("cert.pem", "key.pem")
            client = http.client.HTTPSConnection(host, port, timeout=10, context=context)
            client.request("GET", "/")
            seen.append(f"{host} {client.getresponse().status}")
        print(f"{name} client_auth:", *seen, flush=True)
    finally:
        daemon.terminate()
        daemon.wait()
PY
seen=$(timeout -s INT 60 python3 talk.py "$dir/usr/bin/caddy"); echo "$seen"
[ "$seen" = 'without client_auth: localhost 200 127.0.0.1 200
with client_auth: localhost 200 127.0.0.1 421' ] || { echo "changed"; exit 1; }
