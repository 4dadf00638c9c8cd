"""What hostile machines do to the page's port, from addresses of 127/8 that are not the browser's.

An attack is a function (clinic, count) that leaves its sockets open, and returns them; besiege()
looks at what the hub, and somebody who watches a room, have of it.
"""
import contextlib
import itertools
import os
import pathlib
import re
import socket
import threading
import time

ADDRESSES = 200


def source(number):
    return f"127.1.{number % ADDRESSES}.{1 + number % 250}"


def connect(clinic, number):
    """A connection from another machine's address; None where it is refused."""
    with contextlib.suppress(OSError):
        link = socket.socket()
        link.settimeout(5)
        link.bind((source(number), 0))
        link.connect(("127.0.0.1", clinic.web_port))
        return link
    return None


def say(links, data):
    for link in links:
        with contextlib.suppress(OSError):
            link.setblocking(False)
            link.send(data)


def many_connections(clinic, count):
    """That say nothing."""
    return [link for number in range(count) if (link := connect(clinic, number))]


def slow_heads(clinic, count):
    """Slow-loris: a head that never ends, a byte now and then."""
    links = []
    for number in range(count):
        link = connect(clinic, number)
        if link:
            links.append(link)
            say([link], f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{clinic.web_port}\r\nX-".encode())
        if number % 200 == 199:
            say(links, b"a")
    return links


def large_heads(clinic, count):
    """A megabyte of header each, as far as it is taken."""
    for number in range(count):
        link = connect(clinic, number)
        if link is None:
            continue
        with contextlib.suppress(OSError), link:
            link.sendall(b"GET / HTTP/1.1\r\nX-Much: ")
            for _ in range(16):
                link.sendall(b"a" * 65536)
    return []


def half_frames(clinic, count):
    """WebSockets that begin a message and do not end it."""
    links, us = [], f"127.0.0.1:{clinic.web_port}"
    for number in range(count):
        link = connect(clinic, number)
        if link is None:
            continue
        links.append(link)
        say([link], (f"GET /live HTTP/1.1\r\nHost: {us}\r\nOrigin: http://{us}\r\n"
                     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Protocol: lumbar.live.v1\r\n\r\n").encode())
        # A part, whose head promises more than comes; and half of a head.
        say([link], b"\x02\x83" + os.urandom(4) + b"\x08" if number % 2 else b"\x82\xfe\x01")
    return links


def quick_requests(clinic, count):
    """One after the other, as quickly as they are answered."""
    for number in range(count):
        link = connect(clinic, number % 4)
        if link is None:
            continue
        with contextlib.suppress(OSError), link:
            link.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{clinic.web_port}\r\n\r\n"
                         .encode())
            link.recv(65536)
    return []


class Watcher(threading.Thread):
    """Somebody who looks at a room while a device speaks 20 times a second: how late is a value?"""

    def __init__(self, clinic):
        super().__init__(daemon=True)
        self.clinic, self.device = clinic, clinic.device("posture", "p-01")
        self.browser = clinic.browser(room=1)
        self.browser.until(lambda f: f.HasField("hello"), "a hello")
        self.sent, self.late_ms, self.ended = {}, [], threading.Event()
        self.speaker = threading.Thread(target=self._speak, daemon=True)
        self.start()
        self.speaker.start()

    def _speak(self):
        for number in itertools.count():
            if self.ended.wait(0.05):
                return
            value = number % 200 / 2  # each is told apart from those before it
            self.sent[round(value * 2)] = time.monotonic()
            self.device.send(trunk_inclination=[value])

    def run(self):
        while not self.ended.is_set():
            frame = self.browser.frame(0.5)
            now = time.monotonic()
            for value in self.browser.values(frame, "trunk_inclination") if frame else []:
                at = self.sent.pop(round(value * 2), None) if value is not None else None
                if at is not None:
                    self.late_ms.append(1000 * (now - at))

    def end(self):
        self.ended.set()
        self.join(5)
        self.speaker.join(5)
        return sorted(self.late_ms)


def p99(values):
    return values[min(len(values) - 1, len(values) * 99 // 100)]


def resident_mib(pid):
    """But for pages of files, as the spool's ring."""
    said = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", said)[1]) / 1024


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lines_a_second(log):
    """The most lines that any second of the log has."""
    seconds = [line[:8] for line in log.splitlines()]
    return max((seconds.count(second) for second in set(seconds)), default=0)


def besiege(clinic, attack, count, least_s):
    """What it did, for so long at least: a dictionary of figures."""
    log_from = clinic.log_path.stat().st_size
    watcher = Watcher(clinic)
    try:
        time.sleep(2 + least_s / 2)
        calm = p99(sorted(watcher.late_ms))
        watcher.late_ms.clear()
        most_mib, done = 0.0, threading.Event()
        links = []

        def attack_all():
            end = time.monotonic() + least_s
            links.extend(attack(clinic, count))
            while time.monotonic() < end:  # again, in the place of those before
                for link in links:
                    link.close()
                links[:] = attack(clinic, count)
            done.set()
        thread = threading.Thread(target=attack_all, daemon=True)
        began = time.monotonic()
        thread.start()
        while not done.wait(0.1) and time.monotonic() - began < 300:
            most_mib = max(most_mib, resident_mib(clinic.hub.pid))
        assert done.is_set(), "the attack did not come to its end"
        # What is left of it stands there for a while: nothing turns for its sake.
        before = cpu_s(clinic.hub.pid)
        time.sleep(2)
        most_mib = max(most_mib, resident_mib(clinic.hub.pid))
        idle_cpu = (cpu_s(clinic.hub.pid) - before) / 2
        for link in links:
            link.close()
        late = watcher.end()
    finally:
        watcher.ended.set()
    log = clinic.log_path.read_bytes()[log_from:].decode(errors="replace")
    return {"calm_p99_ms": calm, "p99_ms": p99(late), "values": len(late), "mib": most_mib,
            "cpu": idle_cpu, "lines": lines_a_second(log), "seconds": time.monotonic() - began}


def hold(clinic, attack, count, late_ms=100, least_s=0):
    """Besieges, and holds what the hub promises of it; values may be so late, or three times as late
    as before."""
    said = besiege(clinic, attack, count, least_s)
    print(f"        {count} x {attack.__name__}: " +
          ", ".join(f"{name} {value:.1f}" for name, value in said.items()), flush=True)
    assert clinic.hub.poll() is None, "the hub is gone"
    assert said["mib"] < 64, said
    assert said["lines"] <= 10, said
    assert said["cpu"] < 0.5, said
    assert said["values"] > 20 and said["p99_ms"] < max(late_ms, 3 * said["calm_p99_ms"]), said
    # And it serves who comes after it.
    assert clinic.ask("/health", local=False)[0] == 200
    clinic.browser().until(lambda f: f.HasField("hello"), "a hello, afterwards")
