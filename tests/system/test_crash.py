"""A hub that was killed in the middle of a message: it tries that message in a child, and uses it."""
import mmap
import os
import pathlib
import re
import resource
import signal
import sqlite3
import struct
import subprocess
import time

from clinic import Clinic, Skipped, run, wait_for

BENT = """
rules:
  - name: bent
    title: Bent forward
    metric: posture/trunk_inclination
    above: 20 deg
    clear: 18 deg
    priority: medium
    text: "Trunk bent {value} in {room}."
    action: "Ask to sit up."
"""
ALARM = "lumbar/v1/alarm/room-1/bent"

RECORD = 48  # bytes of struct ring_record (base/ring.h): outcome and begun are its third and fourth
WAITING, USED, REPEATED, REFUSED = range(4)


class Record:
    """The record of a message in the ring of a hub that does not run."""

    def __init__(self, clinic, topic, payload):
        self.file = open(clinic.ring, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 0)
        self.at = self.map.find(topic.encode() + payload) - RECORD
        assert self.at >= 0, "the message is not in the ring"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.map.close()
        self.file.close()

    @property
    def outcome(self):
        return struct.unpack_from("<I", self.map, self.at + 16)[0]

    def leave_unfinished(self):
        """As if the hub had been killed while it decoded it. No checksum covers these two."""
        struct.pack_into("<II", self.map, self.at + 16, WAITING, 1)


def outcome_of(clinic, topic, payload):
    with Record(clinic, topic, payload) as record:
        return record.outcome


def kill_in_the_middle_of(clinic, topic, payload):
    clinic.stop_hub(signal.SIGKILL)
    with Record(clinic, topic, payload) as record:
        record.leave_unfinished()


def a_message_that_raises_an_alarm_survives_its_trial_and_is_used(build):
    with Clinic(build) as clinic:  # without rules, so that nothing is stored of it before the kill
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        payload = device.message(trunk_inclination=[25.0])
        clinic.mqtt.publish(device.topic, payload)
        browser.until(lambda f: f.points, "the message is used")
        kill_in_the_middle_of(clinic, device.topic, payload)
        clinic.write_config(rules=BENT)
        clinic.start_hub()
        browser = clinic.browser(room=1)
        browser.until(lambda f: any(a.presence == 1 for a in f.alarms), "the alarm on the page")
        wait_for("the alarm on MQTT", lambda: clinic.raised(ALARM))
        assert clinic.said("alarm bent on") and not clinic.said("ends the hub")
        clinic.stop_hub()
        assert outcome_of(clinic, device.topic, payload) == USED
        with sqlite3.connect(clinic.folder / "history.db") as history:
            stored = history.execute("SELECT rule, presence FROM alarm").fetchall()
        assert stored == [("bent", 1)], stored


def a_message_that_is_refused_survives_its_trial_and_is_refused(build):
    with Clinic(build) as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        garbage = b"\xff\xfe no message" + os.urandom(8)
        clinic.mqtt.publish(device.topic, garbage)
        device.send(trunk_inclination=[1.0])
        browser.until(lambda f: f.points, "the message after it")
        kill_in_the_middle_of(clinic, device.topic, garbage)
        clinic.start_hub()
        clinic.browser(room=1).until(lambda f: f.HasField("health") and f.health.refused == 1,
                                     "it is counted", 15)
        assert not clinic.said("ends the hub")
        clinic.stop_hub()
        assert outcome_of(clinic, device.topic, garbage) == REFUSED


def no_core_is_left_that_might_hold_a_secret(build):
    if os.environ.get("LUMBAR_UNDER"):
        raise Skipped("it is another program that runs")
    with Clinic(build, start=False) as clinic:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        with open(clinic.folder / "lumbard.log", "wb") as log:
            hub = subprocess.Popen(
                [f"{pathlib.Path(build).resolve()}/daemon/lumbard", "--config",
                 clinic.folder / "lumbard.yaml"], stdout=log, stderr=log, cwd=clinic.folder,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
        wait_for("the hub listens", lambda: b"listening on" in
                 (clinic.folder / "lumbard.log").read_bytes())
        limits = pathlib.Path(f"/proc/{hub.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), limits
        os.kill(hub.pid, signal.SIGSEGV)
        _, status = os.waitpid(hub.pid, 0)
        hub.returncode = -1  # it is waited for
        assert not os.WCOREDUMP(status), status
        assert not list(clinic.folder.glob("core*")), "a core"


FRAGILE = "lumbar/v1/fragile/f-1/telemetry"  # of tests/fixtures/fragile.c


def fragile(sequence, rest=b""):
    return struct.pack("<QQqd", 7, sequence, time.time_ns() // 1_000_000, 12.5) + rest


def kill_with(clinic, sequence, state):
    clinic.mqtt.publish(FRAGILE, fragile(sequence, b"CRASH"))
    assert clinic.hub.wait(20) != 0, "it lives"
    clinic.start_hub(STATE_DIRECTORY=str(state))
    wait_for("quarantine", lambda: clinic.said("killed the hub when it was decoded"))


def a_plugin_that_kills_the_hub_twice_is_left_out_until_it_is_enabled(build):
    with Clinic(build, rooms={"room-1": ["fragile/f-1"]}, plugins=f"{build}/fixtures/fragile",
                start=False) as clinic:
        if "LUMBAR_UNDER" in os.environ:
            raise Skipped("what it runs under says that it crashed")
        state = clinic.folder / "state"
        state.mkdir()
        clinic.start_hub(STATE_DIRECTORY=str(state))
        messages = lambda: clinic.ask("/devices/fragile/f-1")[1].get("messages")
        clinic.mqtt.publish(FRAGILE, fragile(1))
        wait_for("it is heard", lambda: messages() == 1)
        kill_with(clinic, 2, state)
        assert clinic.ctl("plugins", "list").returncode == 0
        clinic.mqtt.publish(FRAGILE, fragile(3))
        wait_for("it is heard again", lambda: clinic.ask("/status")[1]["refused"] == 0 and
                 clinic.ask("/status")[1]["messages"] >= 1)
        kill_with(clinic, 4, state)
        assert clinic.said("is left out"), "it is not left out"
        clinic.mqtt.publish(FRAGILE, fragile(5, b"CRASH"))
        wait_for("a refusal", lambda: clinic.ask("/devices/fragile/f-1")[1]["refused"] >= 1)
        listed = clinic.ctl("plugins", "list")
        assert listed.returncode == 1 and "LEFT OUT" in listed.stdout, listed
        assert "The plugin fragile" in clinic.ctl("status").stdout
        clinic.stop_hub()
        clinic.start_hub(STATE_DIRECTORY=str(state))
        assert clinic.said("is left out"), "it is forgotten with a restart"
        assert clinic.ctl("plugins", "enable", "fragile").returncode == 0
        clinic.mqtt.publish(FRAGILE, fragile(6))
        wait_for("it is used", lambda: clinic.ask("/devices/fragile/f-1")[1]["values"]["level"]
                 ["age_ms"] is not None)
        assert clinic.ctl("plugins", "list").returncode == 0
        assert clinic.ctl("plugins", "enable", "other").returncode == 1


if __name__ == "__main__":
    run([a_message_that_raises_an_alarm_survives_its_trial_and_is_used,
         a_message_that_is_refused_survives_its_trial_and_is_refused,
         no_core_is_left_that_might_hold_a_secret,
         a_plugin_that_kills_the_hub_twice_is_left_out_until_it_is_enabled])
