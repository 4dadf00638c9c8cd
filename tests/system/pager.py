"""A web server that is told of alarms, as a pager's would be: http, or https with a certificate."""
import http.server
import json
import ssl
import subprocess
import threading

CERTIFICATES = [
    "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
    "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj /CN=other -days 2",
    "req -newkey rsa:2048 -nodes -keyout pager.key -out pager.csr -subj /CN=pager",
    "x509 -req -in pager.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out pager.pem -days 2 "
    "-extfile names",
]


def certify(folder):
    """Makes ca.pem, another one that signed nothing, and pager.pem for 127.0.0.1."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for command in CERTIFICATES:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


class Pager:
    """Keeps what it is told; refuses the next `refuse` requests. With a folder it speaks TLS."""

    def __init__(self, folder=None):
        self.told, self.asked, self.refuse = [], 0, 0
        pager = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                pager.asked += 1
                if pager.refuse > 0:
                    pager.refuse -= 1
                    self.send_error(503)
                    return
                pager.told.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        if folder is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "pager.pem", folder / "pager.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self, rule):
        return [(body["event"], body["priority"]) for _, _, body in list(self.told)
                if body["rule"] == rule]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
