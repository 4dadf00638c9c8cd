"""Devices at a real mosquitto with its dynamic-security plugin: each may say and hear its own only."""
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

import clinic as clinics
from clinic import Clinic, Skipped, run, wait_for

KINDS = {"posture/p-01": "lumbar/v1/posture/p-01", "posture/p-02": "lumbar/v1/posture/p-02"}


class Link(clinics.Mqtt):
    """A client with a name and a password; `closed` once the broker has hung up."""

    def __init__(self, port, name, password, client_id=None):
        self.name, self.password, self.grants = name, password, []
        self.closed = self.refused = False
        super().__init__(port, client_id or name or "somebody")
        if self.refused:
            raise ConnectionRefusedError(name)

    def _send(self, kind, body):
        if kind == 0x10 and self.name is not None:  # CONNECT: with both, and QoS 0 only
            word = self.password.encode()
            body = body[:7] + b"\xc2" + body[8:] + \
                b"".join(struct.pack(">H", len(t)) + t for t in (self.name.encode(), word))
        super()._send(kind, body)

    def _take(self, kind, body):
        self.refused |= kind >> 4 == 2 and body[1] != 0
        if kind >> 4 == 9:
            self.grants.append(body[2])
        super()._take(kind, body)

    def _read_all(self):
        super()._read_all()
        self.closed = True

    def granted(self, topic):
        have = len(self.grants)
        self.subscribe(topic)
        wait_for("an answer to a subscription", lambda: len(self.grants) > have)
        return self.grants[-1] != 0x80


class Guarded(Clinic):
    """Its broker knows who is who; the hub has its account there."""

    def __init__(self, build, **more):
        super().__init__(build, start=False, **more)
        self.admin, self.word = self.folder / "admin", self.folder / "hub-word"

    def device_ctl(self, *arguments):
        return self.ctl("device", *arguments, "--admin", str(self.admin))

    def start_broker(self, extra=""):
        place = self.folder / "broker"
        if not place.exists():
            place.mkdir()
            os.chmod(self.folder, 0o755)
            if os.geteuid() == 0:
                shutil.chown(place, "mosquitto", "mosquitto")
            done = self.ctl("device", "init", "--security", f"{place}/security.json", "--admin",
                            str(self.admin), "--hub", str(self.word))
            assert done.returncode == 0, done
            self.lines = done.stdout
            if clinics.is_foreign(self.build):  # it sees its own tree, in which there is no broker
                plugin = next(pathlib.Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
                self.lines = re.sub("^plugin .*", f"plugin {plugin}", self.lines, flags=re.M)
        plain = (clinics.TOP / "config/mosquitto.conf").read_text()
        config = self.folder / "mosquitto.conf"
        config.write_text(f"{plain}\n{self.lines}listener {self.broker_port} 127.0.0.1\n"
                          f"persistence_location {place}/\n")
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        self.broker = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        wait_for("mosquitto listens", self._broker_listens)

    def write_config(self, **changes):
        file = super().write_config(**changes)
        file.write_text(file.read_text().replace(
            "web:\n", f"  username: lumbard\n  password_file: {self.word}\nweb:\n", 1))
        return file

    def __enter__(self):
        if not list(pathlib.Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")):
            raise Skipped("mosquitto has no dynamic-security plugin here")
        self.write_config()
        try:
            self.start_broker()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def add(self, name):
        """Its password."""
        done = self.device_ctl("add", name)
        assert done.returncode == 0 and f"username: {name}\n" in done.stdout, done
        return re.search(r"^password: (\S{43})$", done.stdout, re.MULTILINE)[1]


def refused(port, name, word):
    try:
        Link(port, name, word)
    except OSError:
        return True
    return False


def a_device_says_and_hears_its_own_only(build):
    with Guarded(build) as clinic:
        clinic.start_hub()
        words = {name: clinic.add(name) for name in KINDS}
        links = {name: Link(clinic.broker_port, name, word) for name, word in words.items()}
        one, other = links.values()
        assert one.granted("lumbar/v1/posture/p-01/ack") and one.granted("lumbar/v1/posture/p-01/+")
        assert other.granted("lumbar/v1/posture/p-02/ack")
        assert one.granted("lumbar/v1/posture/p-01/identify")
        for topic in ("lumbar/v1/posture/p-02/ack", "lumbar/v1/posture/+/ack", "#", "lumbar/#",
                      "lumbar/v1/posture/p-02/+", "lumbar/v1/posture/#", "$SYS/#", "+/+/+/+/+",
                      "lumbar/v1/alarm/#", "$CONTROL/dynamic-security/v1/response"):
            assert not one.granted(topic), topic
        # As itself it is heard, and told what is on the disk; as the other it is not.
        device, as_other = clinic.device("posture", "p-01"), clinic.device("posture", "p-02")
        one.publish(as_other.topic, as_other.message(trunk_inclination=[66.0], held_from=1))
        one.publish("lumbar/v1/posture/p-02/ack", b"\x08\x01")
        one.publish("lumbar/v1/alarm/room-1/warm", b"{}", retained=True)
        one.publish(device.topic, device.message(trunk_inclination=[5.0], held_from=1))
        ack = "lumbar/v1/posture/p-01/ack"
        wait_for("its acknowledgement", lambda: ack in [topic for topic, _, _ in one.received])
        one.publish("lumbar/v1/posture/p-02/identify", b"\x08\x0a")
        assert clinic.ask("/devices/posture/p-01/identify", "POST", {})[0] == 202
        show = "lumbar/v1/posture/p-01/identify"
        wait_for("the word to show itself", lambda: show in [topic for topic, _, _ in one.received])
        # And, for it asked for them, its own messages.
        assert {topic for topic, _, _ in one.received} <= {ack, show, device.topic}, one.received
        assert other.received == [], other.received
        heard = {d["name"]: d["messages"] for d in clinic.ask("/devices")[1]["devices"]}
        assert heard.get("posture/p-02", 0) == 0 and heard["posture/p-01"] == 1, heard
        # Nor does the hub's client id help: a name is the account's.
        Link(clinic.broker_port, "posture/p-02", words["posture/p-02"], client_id="lumbard")
        time.sleep(1)  # the hub would have been pushed out by now
        assert clinic.ask("/status")[1]["broker"]["connects"] == 1


def one_that_is_revoked_or_rotated_is_cut_off_at_once(build):
    with Guarded(build) as clinic:
        word = clinic.add("posture/p-01")
        other = Link(clinic.broker_port, "posture/p-02", clinic.add("posture/p-02"))
        assert clinic.device_ctl("list").stdout.split() == list(KINDS)
        link = Link(clinic.broker_port, "posture/p-01", word)
        assert json.loads(clinic.device_ctl("list", "--json").stdout) == {"devices": list(KINDS)}
        done = json.loads(clinic.device_ctl("rotate", "posture/p-01", "--json").stdout)
        fresh = done["password"]
        assert done["username"] == "posture/p-01" and re.fullmatch(r"\S{43}", fresh), done
        wait_for("the end of what had the old one", lambda: link.closed)
        assert refused(clinic.broker_port, "posture/p-01", word)
        link = Link(clinic.broker_port, "posture/p-01", fresh)
        assert link.granted("lumbar/v1/posture/p-01/ack")
        done = clinic.device_ctl("revoke", "posture/p-01", "--json")
        assert json.loads(done.stdout) == {"revoked": "posture/p-01"}, done
        wait_for("its end", lambda: link.closed)
        assert refused(clinic.broker_port, "posture/p-01", fresh)
        assert not other.closed
        # It may come back, with another password; what is not there is said.
        done = clinic.device_ctl("add", "posture/p-01", "--json")
        assert done.returncode == 0 and "is not shown again" in done.stderr, done
        told = json.loads(done.stdout)
        assert set(told) == {"username", "password"} and told["username"] == "posture/p-01", told
        again = told["password"]
        assert re.fullmatch(r"\S{43}", again), told
        assert again not in (word, fresh)
        Link(clinic.broker_port, "posture/p-01", again).close()
        for arguments, code, words in [(("add", "posture/p-01"), 1, "already exists"),
                                       (("revoke", "posture/p-77"), 1, "not found"),
                                       (("rotate", "posture/p-77"), 1, "not found"),
                                       (("add", "wheelchair/w-1"), 2, "KIND/NAME"),
                                       (("add", "posture/a b"), 2, "KIND/NAME"),
                                       (("add", "posture/#"), 2, "KIND/NAME")]:
            done = clinic.device_ctl(*arguments)
            assert done.returncode == code and words in done.stderr.lower() + done.stderr, done
        # Through a restart of the broker.
        clinic.stop_broker()
        clinic.start_broker()
        Link(clinic.broker_port, "posture/p-01", again).close()
        assert refused(clinic.broker_port, "posture/p-01", fresh)


def the_simulated_devices_come_by_their_accounts(build):
    with Guarded(build) as clinic:
        clinic.start_hub()
        file = clinic.folder / "accounts"
        done = clinic.device_ctl("add", "posture/p-01", "massage/m-01", "--accounts", str(file))
        assert done.returncode == 0 and done.stdout == "", done
        lines = file.read_text().splitlines()
        assert [line.split()[0] for line in lines] == ["posture/p-01", "massage/m-01"], lines
        assert all(len(line.split()[1]) == 43 for line in lines)
        assert file.stat().st_mode & 0o777 == 0o600
        # One that is there already stops it; what came before it is kept, and said.
        done = clinic.device_ctl("add", "posture/p-02", "posture/p-01", "--accounts", str(file),
                                 "--json")
        assert done.returncode == 1 and "already exists" in done.stderr, done
        assert json.loads(done.stdout) == {"username": "posture/p-02", "accounts": str(file)}
        assert len(file.read_text().splitlines()) == 3
        done = clinic.device_ctl("add", "posture/p-03", "posture", "--accounts", str(file))
        assert done.returncode == 2 and "posture/p-03" not in file.read_text(), done
        program = [f"{build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port),
                   "--accounts", str(file), "--rooms"]
        sim = subprocess.Popen([*program, "1"])
        try:
            wait_for("both are heard", lambda: sum(
                d["messages"] > 3 for d in clinic.ask("/devices")[1]["devices"]) == 2, 20)
            assert sim.poll() is None
        finally:
            clinics.end(sim, signal.SIGTERM)
        # A device with no account there is said.
        sim = subprocess.run([*program, "2"], capture_output=True, text=True, timeout=60)
        assert sim.returncode == 1 and "no account of massage/m-02" in sim.stderr, sim


def as_many_devices_come_as_a_clinic_has(build):
    """mosquitto 2.0 with a memory_limit takes itself to be out of memory at the seventh."""
    with Guarded(build) as clinic:
        clinic.start_hub()
        names = [f"posture/p-{number:02}" for number in range(40)]
        done = clinic.device_ctl("add", *names, "--accounts", str(clinic.folder / "accounts"))
        assert done.returncode == 0, done
        assert clinic.device_ctl("list").stdout.split() == names
        assert clinic.ask("/status")[1]["broker"]["connects"] == 1, "the hub was thrown out"


def what_is_shipped_takes_nobody_unknown(build):
    with Guarded(build) as clinic:
        clinic.stop_broker()
        clinic.lines = ""  # as it is before anybody made accounts
        clinic.start_broker()
        assert refused(clinic.broker_port, None, None)
        assert refused(clinic.broker_port, "lumbard", clinic.word.read_text().strip())


def the_hub_takes_its_password_from_systemd(build):
    with Guarded(build) as clinic:
        file = clinic.folder / "lumbard.yaml"
        file.write_text(file.read_text().replace(str(clinic.word), "credential:broker"))
        place = clinic.folder / "credentials"
        place.mkdir(mode=0o700)
        shutil.copy(clinic.word, place / "broker")
        clinic.start_hub(CREDENTIALS_DIRECTORY=str(place))  # which waits for the broker
        clinic.stop_hub()
        for name, words in [("credential:other", "credential:other: No such file"),
                            ("credential:../hub-word", "is no name of a credential")]:
            file.write_text(re.sub("credential:[^\n]*", name, file.read_text()))
            done = subprocess.run([f"{build}/daemon/lumbard", "--config", file, "--check"],
                                  capture_output=True, text=True, timeout=30,
                                  env={**os.environ, "CREDENTIALS_DIRECTORY": str(place)})
            assert done.returncode == 1 and words in done.stderr, done


def init_says_in_json_what_it_made(build):
    with Guarded(build) as clinic:
        files = {name: clinic.folder / f"other-{name}" for name in ("security", "admin", "hub")}
        asked = [word for name, file in files.items() for word in (f"--{name}", str(file))]
        done = clinic.ctl("device", "init", *asked, "--json")
        assert done.returncode == 0, done
        told = json.loads(done.stdout)
        assert {name: told[name] for name in files} == {n: str(f) for n, f in files.items()}, told
        assert "allow_anonymous false\n" in told["mosquitto"], told
        assert f"plugin_opt_config_file {files['security']}\n" in told["mosquitto"], told
        made = json.loads(files["security"].read_text())
        assert {c["username"] for c in made["clients"]} == {"lumbard", "lumbar-admin"}, made
        # The hub keeps a password that it has; nothing else is made over what is there.
        word = files["hub"].read_text()
        for name in ("security", "admin"):
            files[name].unlink()
        assert clinic.ctl("device", "init", *asked).returncode == 0
        assert files["hub"].read_text() == word
        files["security"].unlink()
        done = clinic.ctl("device", "init", *asked)
        assert done.returncode == 1 and "is there already" in done.stderr, done
        assert not files["security"].exists(), "half of it is left"


def nobody_comes_without_an_account_and_secrets_stay_secret(build):
    with Guarded(build) as clinic:
        clinic.start_hub()
        word = clinic.add("posture/p-01")
        assert refused(clinic.broker_port, "nobody", "x")
        assert refused(clinic.broker_port, None, None)
        assert refused(clinic.broker_port, "lumbar-admin", "admin")
        files = {name: (clinic.folder / name) for name in ("admin", "hub-word")}
        for file in (*files.values(), clinic.folder / "broker/security.json"):
            assert file.stat().st_mode & 0o007 == 0, file
        said = clinic.log_path.read_text() + (clinic.folder / "broker/security.json").read_text()
        for secret in (word, *(file.read_text().strip() for file in files.values())):
            assert len(secret) == 43 and secret not in said
        # A second init overwrites nothing; an administrator's file that all may read is refused.
        place = f"{clinic.folder}/broker/security.json"
        done = clinic.ctl("device", "init", "--security", place, "--admin", str(clinic.admin),
                          "--hub", str(clinic.word))
        assert done.returncode == 1 and "is there already" in done.stderr, done
        os.chmod(clinic.admin, 0o644)
        done = clinic.device_ctl("list")
        assert done.returncode == 1 and "everybody on this machine" in done.stderr, done
        os.chmod(clinic.admin, 0o600)
        clinic.admin.write_text("wrong\n")
        done = clinic.device_ctl("list")
        assert done.returncode == 1 and "administrator's password" in done.stderr, done


if __name__ == "__main__":
    run([a_device_says_and_hears_its_own_only, one_that_is_revoked_or_rotated_is_cut_off_at_once,
         the_simulated_devices_come_by_their_accounts,
         as_many_devices_come_as_a_clinic_has, what_is_shipped_takes_nobody_unknown,
         init_says_in_json_what_it_made, the_hub_takes_its_password_from_systemd,
         nobody_comes_without_an_account_and_secrets_stay_secret])
