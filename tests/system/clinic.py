"""A clinic for tests: a real mosquitto, the real hub, devices and browsers on loopback.

    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        device = clinic.device("posture", "p-01")
        device.send(trunk_inclination=[12.0] * 10)
        frame = clinic.browser().until(lambda f: f.points)

Everything is bounded in time, uses free ports, and is ended by its process id. A hub that still runs
at the end must end with exit code 0: its loop closed empty, and no sanitizer spoke.

LUMBAR_UNDER is put before the hub's command line, for example "valgrind --error-exitcode=99".
"""
import base64
import concurrent.futures
import contextlib
import http.client
import importlib
import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import described

TOP = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=20.0):
    """Polls until the condition gives something true; fails with the words of `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def now_ms():
    return time.time_ns() // 1_000_000


class Mqtt:
    """As much of MQTT 3.1.1 as a device has: CONNECT, PUBLISH QoS 0/1, SUBSCRIBE."""

    def __init__(self, port, client_id, topics=()):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.settimeout(10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = []
        self.acknowledged = 0
        self.packet = 0
        name = client_id.encode()
        self._send(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name)) + name)
        self._open = True
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._read_all, daemon=True)
        self._thread.start()
        assert self._connected.wait(5), "the broker did not answer"
        for topic in topics:
            self.subscribe(topic)

    def _send(self, kind, body):
        length, head = len(body), bytearray([kind])
        while True:
            length, digit = divmod(length, 128)
            head.append(digit | (0x80 if length else 0))
            if not length:
                break
        self.socket.sendall(bytes(head) + body)

    def subscribe(self, topic):
        self.packet += 1
        self._send(0x82, struct.pack(">HH", self.packet, len(topic)) + topic.encode() + b"\x01")

    def publish(self, topic, payload, qos=1, retained=False):
        body = struct.pack(">H", len(topic.encode())) + topic.encode()
        if qos:
            self.packet = self.packet % 65535 + 1
            body += struct.pack(">H", self.packet)
        self._send(0x30 | qos << 1 | int(retained), body + payload)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except TimeoutError:
                continue  # nothing is said for a while
            if not part:
                raise ConnectionError
            data += part
        return data

    def _read_all(self):
        try:
            while True:
                kind = self._exactly(1)[0]
                length = shift = 0
                while True:
                    digit = self._exactly(1)[0]
                    length |= (digit & 127) << shift
                    shift += 7
                    if digit < 128:
                        break
                self._take(kind, self._exactly(length))
        except (OSError, ConnectionError):
            pass

    def _take(self, kind, body):
        if kind >> 4 == 2:
            self._connected.set()
        elif kind >> 4 == 4:
            self.acknowledged += 1
        elif kind >> 4 == 3:
            size = struct.unpack(">H", body[:2])[0]
            topic, rest = body[2:2 + size].decode(), body[2 + size:]
            if kind >> 1 & 3:
                self._send(0x40, rest[:2])
                rest = rest[2:]
            self.received.append((topic, rest, bool(kind & 1)))

    def close(self):
        try:
            self._send(0xE0, b"")
        except OSError:
            pass
        self.socket.close()


class Device:
    """A posture wearable or massage device with its own boot id, sequence and clock."""

    SCALE = {"lumbar_flexion": 100, "lumbar_flexion_velocity": 10, "trunk_inclination": 100,
             "lumbar_lateral_flexion": 100, "lumbar_rotation": 100, "massage_pressure": 10,
             "massage_force": 10, "percussion_frequency": 100, "percussion_amplitude": 100,
             "skin_temperature": 100, "surface_temperature": 100, "motor_current": 1000,
             "motor_temperature": 100, "motor_vibration": 100}

    def __init__(self, clinic, kind, name):
        self.clinic, self.kind, self.name = clinic, kind, name
        self.boot = struct.unpack("<Q", os.urandom(8))[0]
        self.sequence = 0
        self.clock_ms = 0  # added to the device's clock

    def message(self, step_ms=20, sequence=None, **columns):
        """The bytes of one batch; columns are lists in the metric's unit, scalars as they are."""
        telemetry = self.clinic.proto(self.kind).Telemetry()
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        telemetry.boot_id, telemetry.sequence = self.boot, sequence
        telemetry.now_ms = now_ms() + self.clock_ms
        telemetry.wall_clock = True
        rows = max([len(v) for v in columns.values() if isinstance(v, list)], default=0)
        telemetry.start_ms = telemetry.now_ms - step_ms * max(rows - 1, 0)
        telemetry.dt_ms.extend([0] + [step_ms] * (rows - 1) if rows else [])
        for name, value in columns.items():
            if isinstance(value, list):
                scale = self.SCALE.get(name, 1)
                getattr(telemetry, name).extend(
                    -2**31 if v is None else round(v * scale) for v in value)
            else:
                setattr(telemetry, name, value)
        return telemetry.SerializeToString()

    @property
    def topic(self):
        return f"lumbar/v1/{self.kind}/{self.name}/telemetry"

    def send(self, **columns):
        self.clinic.mqtt.publish(self.topic, self.message(**columns))


class Browser:
    """A WebSocket client of /live that reads frames."""

    def __init__(self, clinic, room=0, instance=0, cursor=0, backlog_s=300):
        self.clinic = clinic
        self.live = clinic.proto("live")
        self.socket = clinic.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{clinic.web_port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: lumbar.live.v1\r\n"
            f"Origin: {clinic.web}\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(1)
            assert part, f"refused: {head!r}"
            head += part
        assert b" 101 " in head.split(b"\r\n")[0], head
        self.watch(room, instance, cursor, backlog_s)
        self.hello = None
        self.cursor = 0

    def watch(self, room, instance=0, cursor=0, backlog_s=300):
        message = self.live.Watch(room=room, instance=instance, cursor=cursor, backlog_s=backlog_s)
        self._send(2, message.SerializeToString())

    def _send(self, opcode, data):
        mask = os.urandom(4)
        assert len(data) < 126
        self.socket.sendall(bytes([0x80 | opcode, 0x80 | len(data)]) + mask +
                            bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError("the hub closed the connection")
            data += part
        return data

    def frame(self, seconds=10.0):
        """The next frame; None when none comes in time."""
        end = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                first, second = self._exactly(2)
            except (socket.timeout, TimeoutError):
                return None
            self.socket.settimeout(5)
            size = second & 127
            if size == 126:
                size = struct.unpack(">H", self._exactly(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self._exactly(8))[0]
            data = self._exactly(size)
            if first & 15 == 9:
                self._send(10, data)
            elif first & 15 == 8:
                raise ConnectionError(f"closed: {data!r}")
            elif first & 15 == 2:
                frame = self.live.Frame.FromString(data)
                self.cursor = frame.cursor
                if frame.HasField("hello"):
                    self.hello = frame.hello
                return frame

    def until(self, condition, what="a frame", seconds=20.0):
        """Reads frames until the condition holds for one; returns it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            frame = self.frame(end - time.monotonic())
            if frame is not None and condition(frame):
                return frame
        raise AssertionError(f"not within {seconds} s: {what}")

    def metric(self, name):
        return next(m for m in self.hello.metrics if m.name == name)

    def rule(self, name):
        return next(r for r in self.hello.rules if r.name == name)

    def values(self, frame, name):
        """The values of a metric in a frame's points, in its unit; None where there was none."""
        metric, values = self.metric(name), []
        for points in frame.points:
            for column in points.columns:
                if column.metric != metric.id:
                    continue
                at = 0
                for delta in column.delta:
                    at += delta
                    values.append(None if at == 65535 else metric.min + at * metric.step)
        return values

    def close(self):
        self.socket.close()


ANSWER_S = 30  # a little more than the longest that the hub gives itself (rules tried: 25 s)


class Local(http.client.HTTPConnection):
    """HTTP by the hub's own socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=ANSWER_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(self.path)


SECRETS = ("secret", "link", "password", "old", "new", "token")
SECRET_LEAST = 8  # what is shorter may stand anywhere for another reason


class Clinic:
    def __init__(self, build, rooms=None, rules="", extra="", plugins=None, start=True,
                 plans=None, automatic=None, accounts=False):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lumbar-test."))
        shared = pathlib.Path("/dev/shm")
        self.ring = (shared if shared.is_dir() else self.folder) / (self.folder.name + ".ring")
        self.rooms = rooms or {"room-1": ["posture/p-01", "massage/m-01"]}
        self.rules, self.extra = rules, extra
        self.plans = plans or {}  # by name, as YAML
        self.automatic = automatic or {}  # rooms whose devices open sessions: by which plan
        self.recordings, self.recorded = self.folder / "recordings", False
        self.plugins = plugins or self.build / "plugins"
        self.accounts = accounts  # people log in
        self.unsaid = set()  # what must not stand in the log: who is treated, and secrets
        self.web_port = 0
        self.tls = None  # an ssl.SSLContext, where the page is by https://
        self.hub = self.broker = self.mqtt = None
        self.broker_port = free_port()
        self.start_at_once = start
        self.answered = set()  # endpoints that gave what was asked for
        self.headers = {}  # of the last answer
        self._modules = {}

    # ---- files ----

    def write_config(self, **changes):
        """Writes lumbard.yaml and the rules; keyword arguments replace attributes first."""
        for name, value in changes.items():
            setattr(self, name, value)
        rules = self.folder / "rules.d"
        rules.mkdir(exist_ok=True)
        (rules / "test.yaml").write_text(self.rules or "rules: []\n")
        for name, plan in self.plans.items():
            (self.folder / "plans.d").mkdir(exist_ok=True)
            (self.folder / f"plans.d/{name}.yaml").write_text(plan)
        lines = ["clinic: Test clinic", "broker:", f"  port: {self.broker_port}", "web:",
                 "  port: 0", "api:", f"  socket: {self.folder}/ctl", "spool:", f"  ring: {self.ring}", f"  copy: {self.folder}/spool",
                 "quarantine:", f"  file: {self.folder}/quarantine", "recorder:",
                 f"  folder: {self.recordings}", f"  always: {str(self.recorded).lower()}",
                 "history:", f"  file: {self.folder}/history.db",
                 "plugins:", f"  folder: {self.plugins}", "rules:", "  folder: rules.d", "  changes: page.yaml",
                 f"accounts: {str(self.accounts).lower()}", "rooms:"]
        for name, devices in self.rooms.items():
            lines += [f"  - name: {name}", f"    title: {name.title()}",
                      f"    devices: [{', '.join(devices)}]"]
            if name in self.automatic:
                lines += ["    auto: true", f"    plan: {self.automatic[name]}"]
        (self.folder / "lumbard.yaml").write_text("\n".join(lines) + "\n" + self.extra)
        return self.folder / "lumbard.yaml"

    def proto(self, name):
        if name not in self._modules:
            out = self.folder / "proto"
            out.mkdir(exist_ok=True)
            subprocess.run(["protoc", f"-I{TOP}/proto", f"--python_out={out}",
                            f"{TOP}/proto/{name}.proto"], check=True)
            if str(out) not in sys.path:
                sys.path.insert(0, str(out))
            self._modules[name] = importlib.import_module(f"{name}_pb2")
        return self._modules[name]

    # ---- processes ----

    def start_broker(self, extra=""):
        place = self.folder / "broker"
        place.mkdir(mode=0o777, exist_ok=True)
        os.chmod(place, 0o777)
        os.chmod(self.folder, 0o755)
        config = self.folder / "mosquitto.conf"
        config.write_text((TOP / "config/mosquitto.conf").read_text() +
                          "allow_anonymous true\n"  # test_broker_accounts.py has a guarded one
                          f"listener {self.broker_port} 127.0.0.1\n"
                          f"persistence_location {place}/\n" + extra)
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        self.broker = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        wait_for("mosquitto listens", self._broker_listens)

    def _broker_listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.broker_port), 1).close()
            return True
        except OSError:
            return False

    def stop_broker(self, how=signal.SIGTERM):
        end(self.broker, how)
        self.broker = None

    def start_hub(self, *arguments, wait=True, **environment):
        self.log_path = self.folder / "lumbard.log"
        self.log_from = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.hub = subprocess.Popen(
                [*shlex.split(os.environ.get("LUMBAR_UNDER", "")),
                 str(self.build / "daemon/lumbard"), "--config",
                 str(self.folder / "lumbard.yaml"), *arguments],
                stderr=log, stdout=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **environment})
        if wait:
            patience = 60 if "valgrind" in os.environ.get("LUMBAR_UNDER", "") else 20
            line = wait_for("the hub listens", lambda: self.said("listening on"), patience)
            self.web_port = int(line.rsplit(":", 1)[1].strip().rstrip("/"))
            wait_for("the broker is connected", lambda: self.said("broker connected"), patience)

    def said(self, words):
        """The first line of the log since the last start that has these words; else None."""
        if self.hub.poll() is not None and not self.log_path.exists():
            return None
        with open(self.log_path, "rb") as log:
            log.seek(self.log_from)
            for line in log.read().decode(errors="replace").splitlines():
                if words in line:
                    return line
        return None

    def stop_hub(self, how=signal.SIGTERM):
        code = end(self.hub, how)
        self.hub = None
        assert how != signal.SIGTERM or code == 0, \
            f"the hub ended with exit code {code}: {self.log_path.read_text(errors='replace')[-6000:]}"

    def __enter__(self):
        self.write_config()
        try:
            self.start_broker()
            self.mqtt = Mqtt(self.broker_port, "test-devices",
                             ["lumbar/v1/alarm/#", "lumbar/v1/+/+/ack", "lumbar/v1/hub/+/status"])
            if self.start_at_once:
                self.start_hub()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        log = self.folder / "lumbard.log"
        code = 0
        try:
            if self.mqtt is not None:
                self.mqtt.close()
            if self.hub is not None:
                code = end(self.hub, signal.SIGTERM)
        finally:
            if self.broker is not None:
                end(self.broker, signal.SIGTERM)
            told = {word for word in self.unsaid if log.exists()
                    and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])",
                                  log.read_text(errors="replace"))}
            if (kind is not None or code != 0) and log.exists():
                print("---- the hub's log", log.read_text(errors="replace")[-6000:], sep="\n")
            self.ring.unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None:
            assert code == 0, f"the hub ended with exit code {code}"
            assert not told, f"the log tells of {told}"

    # ---- people and devices ----

    @property
    def web(self):
        """The page's origin."""
        return f"http{'s' if self.tls is not None else ''}://127.0.0.1:{self.web_port}"

    def connect(self):
        """A connection to the page's port, as a browser has it."""
        plain = socket.create_connection(("127.0.0.1", self.web_port), 5)
        return plain if self.tls is None else \
            self.tls.wrap_socket(plain, server_hostname="127.0.0.1")

    def device(self, kind, name):
        return Device(self, kind, name)

    def browser(self, room=0, **watch):
        return Browser(self, room, **watch)

    def ask(self, path, method="GET", body=None, local=True, headers=None):
        """A question to the API: the status and the JSON of its answer, which is as it is described."""
        door = Local(f"{self.folder}/ctl") if local else \
            http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=ANSWER_S)
        if self.tls is not None and not local:
            door.sock = self.connect()
        send = {"Content-Type": "application/json", **(headers or {})}
        text = json.dumps(body) if body is not None else "" if method == "POST" else None
        with contextlib.suppress(BrokenPipeError):  # it may answer before it has heard all
            door.request(method, "/api/v1" + path, text, send)
        answer = door.getresponse()
        said = answer.read()
        door.close()
        described.check_answer(method, path, answer.status, answer.headers, said)
        found = described.find(method, path)
        if answer.status < 300:
            self.answered.add(found)
        if (method, path) == ("POST", "/clients") and answer.status == 201:
            self.unsaid.add(body["name"])
        self.headers = answer.headers
        is_json = "json" in answer.headers.get("Content-Type", "")
        said = json.loads(said) if is_json else said.decode()
        self.hide(body)
        self.hide(said)
        return answer.status, said

    def hide(self, told):
        """The secrets in what was sent or answered."""
        for name, value in told.items() if isinstance(told, dict) else ():
            if name in SECRETS and isinstance(value, str) and len(value) >= SECRET_LEAST:
                self.unsaid.add(value.rsplit("/", 1)[-1])

    def ctl(self, *arguments, config=True, **environment):
        where = ["--config", f"{self.folder}/lumbard.yaml"] if config else []
        return subprocess.run([self.build / "daemon/lumbarctl", *arguments, *where],
                              capture_output=True, text=True, timeout=30,
                              env={**os.environ, **environment})

    def received(self, topic):
        return [payload for name, payload, _ in self.mqtt.received if name == topic]

    def raised(self, topic):
        """What was said of an alarm since it was first raised; at the start it is told as off."""
        said = [json.loads(payload) for payload in self.received(topic)]
        return list(itertools.dropwhile(lambda word: word["presence"] == "off", said))


def end(process, how):
    """Ends a process by its id; returns its exit code."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
        raise AssertionError(f"{process.args[0]} did not end within 15 s")


class Skipped(Exception):
    """Why a case cannot be tried here."""


def is_foreign(build):
    """Is the hub of another machine than this one, by the ELF headers? (long/arm64.sh)"""
    made_for = [pathlib.Path(program).read_bytes()[18:20]
                for program in (f"{build}/daemon/lumbard", sys.executable)]
    return made_for[0] != made_for[1]


def try_case(case):
    """Runs one; returns how it ended, as the line begins that says it."""
    began = time.monotonic()
    try:
        case(sys.argv[1])
        print(f"ok      {case.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        return "ok"
    except Skipped as why:
        print(f"skipped {case.__name__}: {why}", flush=True)
        return "skipped"
    except Exception as error:  # every case is told of, not the first only
        import traceback
        traceback.print_exc()
        print(f"FAILED  {case.__name__}: {error}", flush=True)
        return "FAILED"


def run(cases, together=False):
    """Runs functions in turn, each given the build folder; says each as the sentence it proves.
    `together`: at once, where most of what they do is to wait for the disk.
    Ends with 77 where none could be tried; tests/run counts the lines of the others."""
    with concurrent.futures.ThreadPoolExecutor(len(cases) if together else 1) as pool:
        ends = list(pool.map(try_case, cases))
    sys.exit(1 if "FAILED" in ends else 0 if "ok" in ends else 77)
