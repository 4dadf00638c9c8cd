"""Somebody at the hub's page: with a cookie, a bearer token or nothing, and the headers that they
choose.

    admin = set_up(clinic)                     # the first administrator, logged in
    anna = invited(clinic, admin, "anna", "therapist", ["room-1"])
    assert anna.ask("/sessions")[0] == 200
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import struct

import described
from clinic import ANSWER_S

PASSWORD = "a few words that nobody guesses"


class Visitor:
    def __init__(self, clinic, cookie=None, bearer=None):
        self.clinic, self.cookie, self.bearer = clinic, cookie, bearer
        self.headers = {}  # of the last answer

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.clinic.web_port}"

    def sent(self, headers):
        """What goes along: a browser says Origin of itself; None takes a header away."""
        all_of = {"Content-Type": "application/json"}
        if self.cookie:
            all_of |= {"Cookie": f"lumbar={self.cookie}", "Origin": self.origin}
        if self.bearer:
            all_of["Authorization"] = f"Bearer {self.bearer}"
        all_of |= headers or {}
        return {name: value for name, value in all_of.items() if value is not None}

    def ask(self, path, method="GET", body=None, headers=None):
        """The status, and what was said: JSON where it is, else text."""
        door = http.client.HTTPConnection("127.0.0.1", self.clinic.web_port, timeout=ANSWER_S)
        text = json.dumps(body) if body is not None else "" if method in ("POST", "PUT") else None
        door.request(method, "/api/v1" + path, text, self.sent(headers))
        answer = door.getresponse()
        said = answer.read().decode()
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        door.close()
        described.check_answer(method, path, answer.status, answer.headers, said)
        if answer.status < 300:
            self.clinic.answered.add(described.find(method, path))
        self.keep(self.headers.get("set-cookie"))
        said = json.loads(said) if "json" in self.headers["content-type"] else said
        self.clinic.hide(body)
        self.clinic.hide(said)
        return answer.status, said

    def keep(self, cookie):
        """As a browser does: in the place of the one before, or of nothing where it is over."""
        if cookie:
            name, _, value = cookie.split(";")[0].partition("=")
            assert name == "lumbar", cookie
            self.cookie = value or None
            self.clinic.hide({"secret": value})

    def upgrade(self, headers=None):
        """The status of a WebSocket's upgrade, and the socket."""
        wire = socket.create_connection(("127.0.0.1", self.clinic.web_port), 5)
        key = base64.b64encode(os.urandom(16)).decode()
        sent = {"Host": self.origin[7:], "Upgrade": "websocket", "Connection": "Upgrade",
                "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Protocol": "lumbar.live.v1", "Origin": self.origin,
                **self.sent(headers), **(headers or {})}
        wire.sendall(("GET /live HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in sent.items() if value is not None)
            + "\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = wire.recv(1)
            if not part:
                break
            head += part
        return int(head.split(b" ")[1]) if head else 0, wire


def taken_up(clinic, link, password=PASSWORD):
    """Whoever takes an invitation up, logged in."""
    visitor = Visitor(clinic)
    status, said = visitor.ask("/enrol", "POST", {"secret": link.rsplit("/", 1)[1],
                                                  "password": password})
    assert status == 200 and visitor.cookie, said
    return visitor


def set_up(clinic):
    status, said = clinic.ask("/setup", "POST", {})
    assert status == 201, said
    return taken_up(clinic, said["link"])


def invited(clinic, admin, name, role, rooms=()):
    status, said = admin.ask("/users", "POST", {"name": name, "role": role, "rooms": list(rooms)})
    assert status == 201, said
    return taken_up(clinic, said["link"])


def code_of(secret, step):
    """What a telephone shows (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"
