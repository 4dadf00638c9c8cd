"""The machine's clock is set while the hub runs: said everywhere, blamed on no device, put right."""
import datetime
import json
import os
import pathlib
import shlex
import signal
import socket
import sqlite3
import struct
import subprocess
import time
from unittest import mock

from clinic import Clinic, Skipped, run, wait_for

HOUR_MS = 3600 * 1000
STATUS = "lumbar/v1/hub/lumbard/status"


class Clock:
    """Of the hub only; the file is read at each look at the clock."""

    def __init__(self, clinic, added_s=0):
        self.file = clinic.folder / "clock"
        self.set(added_s)
        self.environment = {
            "LD_PRELOAD": f"{clinic.build}/fixtures/set_clock/set_clock.so",
            "LUMBAR_TEST_CLOCK": str(self.file)}

    def set(self, added_s):
        # In place: a hub looks at it meanwhile, and one that was cut to nothing would end it.
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("<q", added_s * 10**9))


def complaints(clinic):
    return " ".join(clinic.ask("/health")[1]["complaints"])


def skew(clinic):
    return clinic.ask("/devices/posture/p-01")[1]["skew_ms"]


def last_status(clinic):
    return json.loads(clinic.received(STATUS)[-1])


def a_clock_that_is_set_is_told_and_blamed_on_no_device(build):
    with Clinic(build, start=False) as clinic:
        clock = Clock(clinic)
        clinic.start_hub(**clock.environment)
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        device.send(trunk_inclination=[1.0])
        wait_for("its clock is known", lambda: skew(clinic) is not None)
        clock.set(3600)
        wait_for("a complaint", lambda: "set by +3600" in complaints(clinic))
        assert abs(clinic.ask("/status")[1]["clock"]["off_ms"] - HOUR_MS) < 1000
        browser.until(lambda f: f.HasField("health") and
                      abs(f.health.clock_off_ms - HOUR_MS) < 1000, "the page is told")
        wait_for("it is retained", lambda: last_status(clinic).get("clock") == "off")
        ended = clinic.ctl("status")
        assert ended.returncode == 1 and "by +3600" in ended.stdout, ended
        assert clinic.said("clock: it was set by +3600")
        device.send(trunk_inclination=[2.0])  # its own clock is right, and so is its age
        wait_for("its message", lambda: clinic.ask("/devices/posture/p-01")[1]["messages"] == 2)
        assert skew(clinic) is None
        value = clinic.ask("/devices/posture/p-01")[1]["values"]["trunk_inclination"]
        assert value["value"] == 2 and 0 <= value["age_ms"] < 10000, value
        clock.set(0)
        wait_for("it is well again", lambda: complaints(clinic) == "")
        wait_for("that is retained", lambda: last_status(clinic).get("clock") == "ok")
        device.send(trunk_inclination=[3.0])
        wait_for("its clock is known again", lambda: skew(clinic) is not None)


def a_clock_that_was_never_set_is_told(build):
    with Clinic(build, start=False) as clinic:
        clock = Clock(clinic, added_s=-int(time.time()))  # as a machine without a battery begins
        clinic.start_hub(**clock.environment)
        wait_for("a complaint", lambda: "not set" in complaints(clinic))
        clinic.browser().until(lambda f: f.HasField("health") and f.health.clock_unset, "the page")
        ended = clinic.ctl("status")
        assert ended.returncode == 1 and "clock      not set" in ended.stdout, ended
        clinic.device("posture", "p-01").send(trunk_inclination=[1.0])
        wait_for("its message", lambda: clinic.ask("/devices/posture/p-01")[1].get("messages"))
        assert skew(clinic) is None


def as_a_service_it_starts_anew_when_nobody_is_treated(build):
    with Clinic(build, start=False) as clinic:
        clock, manager = Clock(clinic), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(str(clinic.folder / "notify"))
        environment = {**clock.environment, "NOTIFY_SOCKET": str(clinic.folder / "notify")}
        clinic.start_hub(**environment)
        room = list(clinic.rooms)[0]
        number = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB"})[1]["id"]
        assert clinic.ask(f"/sessions/{number}/start", "POST", {})[0] == 200
        clock.set(3600)
        wait_for("a complaint", lambda: "set by +3600" in complaints(clinic))
        wait_for("ten seconds", lambda: clinic.ask("/status")[1]["uptime_s"] > 12, 30)
        assert clinic.hub.poll() is None and not clinic.said("starting anew")
        assert clinic.ask(f"/sessions/{number}/end", "POST", {})[0] == 200
        wait_for("it ends", lambda: clinic.hub.poll() is not None, 30)
        assert clinic.hub.returncode == 0 and clinic.said("starting anew")
        clinic.start_hub(**environment)
        status = clinic.ask("/status")[1]
        assert status["clock"]["off_ms"] == 0 and status["complaints"] == [], status


def treat(clinic, seconds):
    """A session in which something is measured, from its start to its end; its number."""
    room = list(clinic.rooms)[0]
    number = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB"})[1]["id"]
    assert clinic.ask(f"/sessions/{number}/start", "POST", {})[0] == 200
    device = clinic.device("posture", "p-01")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        device.send(trunk_inclination=[30.0])
        time.sleep(0.2)
    assert clinic.ask(f"/sessions/{number}/end", "POST", {})[0] == 200
    return number


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def times(clinic, number):
    session = clinic.ask(f"/sessions/{number}")[1]
    return instant(session["started"]), instant(session["ended"])


def the_trail_tells_both_times(clinic, before, mended):
    """It is sealed: its lines stay as they were told, and the right time stands beside them."""
    def all_of_it():
        said = clinic.ctl("audit", "list", "--last", "200", "--json")
        lines = [json.loads(line) for line in said.stdout.splitlines()]
        return lines if any(line["what"] == "clock set" for line in lines) else None
    lines = wait_for("the line of the clock", all_of_it)
    starts = [line for line in lines if line["what"] == "POST /sessions/{id}/start"]
    assert len(starts) == 2, lines
    assert abs(starts[0]["at_ms"] / 1000 - before) < 3600 and "right_at_ms" not in starts[0], starts
    assert abs(starts[1]["right_at_ms"] / 1000 - mended[0]) < 1, (starts, mended)
    assert starts[1]["right_at_ms"] - starts[1]["at_ms"] > HOUR_MS, starts
    (clock,) = [line for line in lines if line["what"] == "clock set"]
    assert clock["who"] == "hub" and f"-{clock['id'] - 1} by +" in clock["about"], clock
    assert "right_at_ms" not in clock, clock
    assert clinic.ctl("audit", "list").stdout.count("by a wrong clock") >= 3
    sound = clinic.ctl("audit", "verify")
    assert sound.returncode == 0, sound


def the_recordings_tell_the_right_time(clinic, number, mended):
    """Their list, what is decoded of them, and a copy; the bytes stay as they were."""
    def recorded(folder=clinic.recordings):
        said = clinic.ctl("recording", "ls", "--json", "--folder", str(folder))
        return [json.loads(line) for line in said.stdout.splitlines()]

    def between(at):
        return mended[0] - 1 < at < mended[1] + 1

    tapes = recorded()
    assert [tape["session"] for tape in tapes] == [number - 1, number], tapes  # by when they were
    assert between(instant(tapes[1]["first"])) and between(instant(tapes[1]["last"])), tapes
    assert instant(tapes[0]["last"]) < mended[0] - 3600, tapes  # of the clock before
    csv = clinic.ctl("session", "csv", "--samples", str(number))
    rows = csv.stdout.splitlines()[1:]
    assert csv.returncode == 0 and csv.stderr == "" and len(rows) >= 5, csv
    assert all(between(instant(row.split(",")[0])) for row in rows), csv.stdout
    assert clinic.ctl("recording", "verify").returncode == 0
    copy = clinic.folder / "copy.rec"
    assert clinic.ctl("recording", "export", "--account", tapes[1]["file"], str(copy)).returncode == 0
    assert clinic.ctl("recording", "verify", str(copy)).returncode == 0
    copies = clinic.folder / "copies"
    copies.mkdir()
    copy.rename(copies / tapes[1]["file"])
    (alone,) = recorded(copies)
    assert [alone[of] for of in ("first", "last", "messages")] == \
        [tapes[1][of] for of in ("first", "last", "messages")], (alone, tapes)


def rebuilt_history_tells_the_right_time(clinic, environment, number, mended):
    with open(clinic.folder / "history.db", "r+b") as file:
        file.write(bytes(4096))
    for spool in clinic.ring, clinic.folder / "spool":
        spool.unlink()
    clinic.start_hub(**environment)
    assert clinic.said("is damaged ("), clinic.log_path.read_text()
    clinic.device("posture", "p-01").send(trunk_inclination=[30.0])  # the gap has an end
    wait_for("it is rebuilt", lambda: not clinic.ask("/status")[1]["history"]["rebuilding"], 60)
    history = clinic.ask("/history?device=posture/p-01&metric=trunk_inclination&points=5000")[1]
    told = [bucket["count"] for bucket in history["buckets"]
            if mended[0] - 2 < instant(bucket["at"]) < mended[1] + 2]
    assert sum(told) >= 5, (history, mended)
    clinic.stop_hub()
    with sqlite3.connect(clinic.folder / "history.db") as file:
        (begun, ended), = file.execute("SELECT started_ms, ended_ms FROM session WHERE id = ?",
                                       (number,)).fetchall()
    assert mended[0] - 1 < begun / 1000 < ended / 1000 < mended[1] + 1, \
        (begun, ended, mended)


def what_was_told_by_a_clock_that_nobody_had_set_is_put_right(build):
    """A machine without a battery was off for six hours. Its clock begins an hour before that, and
    then the network comes."""
    with Clinic(build, start=False) as clinic:
        (clinic.folder / "state").mkdir()
        clock = Clock(clinic, added_s=-6 * 3600)
        environment = {**clock.environment, "STATE_DIRECTORY": f"{clinic.folder}/state"}
        clinic.start_hub(**environment)
        first = treat(clinic, 0.5)
        begun, ended = times(clinic, first)
        clinic.stop_hub()
        (clinic.folder / "state/wrong-clock").unlink(missing_ok=True)  # another boot
        clock.set(-7 * 3600)
        clinic.start_hub(**environment)
        assert clinic.said("behind what is known already")
        wait_for("a complaint", lambda: "not set" in complaints(clinic))
        started = time.time()
        second = treat(clinic, 1.5)
        late, _ = times(clinic, second)
        assert late >= ended, "it happened before what happened before"
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub(**environment)  # and goes on in the same time
        assert abs(times(clinic, second)[0] - late) < 0.01
        clock.set(0)
        wait_for("it is told", lambda: "was set by" in complaints(clinic))
        clinic.stop_hub()
        note = (clinic.folder / "state/wrong-clock").read_bytes()
        clinic.start_hub(**environment)
        assert clinic.said("it is set now"), "nothing was put right"
        mended = times(clinic, second)
        clinic.stop_hub(signal.SIGKILL)
        (clinic.folder / "state/wrong-clock").write_bytes(note)  # killed before it was taken away
        clinic.start_hub(**environment)
        assert times(clinic, second) == mended, "moved twice"
        mended = times(clinic, second)
        assert abs(mended[0] - started) < 3, (mended, started)
        assert 1 < mended[1] - mended[0] < 10, "the session is torn"
        history = clinic.ask("/history?device=posture/p-01&metric=trunk_inclination")[1]
        last = instant(history["buckets"][-1]["at"])
        assert abs(last - mended[1]) < 63, (last, mended)  # by whole minutes
        the_trail_tells_both_times(clinic, ended, mended)
        the_recordings_tell_the_right_time(clinic, second, mended)
        wait_for("nothing is wrong", lambda: clinic.ask("/health")[1]["complaints"] == [])
        clinic.stop_hub()
        (clinic.folder / "state/wrong-clock").write_bytes(note)  # and when the line is on the disk
        clinic.start_hub(**environment)
        assert not clinic.said("it is set now") and times(clinic, second) == mended
        the_trail_tells_both_times(clinic, ended, mended)
        clinic.stop_hub()
        with sqlite3.connect(clinic.folder / "history.db") as file:
            kept = file.execute("SELECT started_ms, ended_ms FROM session WHERE id = ?",
                                (first,)).fetchone()
        assert kept == (round(begun * 1000), round(ended * 1000)), "the one of before was moved"
        rebuilt_history_tells_the_right_time(clinic, environment, second, mended)


def within_its_services_fence_it_knows_one_boot_from_another(build):
    """ProcSubset=pid hides which boot this is: the unit says it (%b), else nothing is put right."""
    unit = (pathlib.Path(build) / "systemd/lumbard.service").read_text(encoding="utf-8")
    assert "\nProcSubset=pid\n" in unit
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    told = dict(line.removeprefix("Environment=").split("=", 1) for line in unit.splitlines()
                if line.startswith("Environment="))
    fence = ["unshare", "--mount", "sh", "-c",
             'mount -t proc -o subset=pid proc /proc && exec "$0" "$@"']
    if subprocess.run([*fence, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skipped("a /proc of its own cannot be mounted here")
    with Clinic(build, start=False) as clinic:
        (clinic.folder / "state").mkdir()
        clock = Clock(clinic, added_s=-7 * 3600)
        environment = {"STATE_DIRECTORY": f"{clinic.folder}/state", **clock.environment,
                       **{name: value.replace("%b", boot.replace("-", ""))
                          for name, value in told.items()}}
        with mock.patch.dict(os.environ, LUMBAR_UNDER=shlex.join(fence)):
            clinic.start_hub(**environment)
            clinic.stop_hub()
            clock.set(0)
            clinic.start_hub(**environment)
            assert clinic.said("it is set now"), "nothing was put right"


if __name__ == "__main__":
    run([a_clock_that_is_set_is_told_and_blamed_on_no_device, a_clock_that_was_never_set_is_told,
         as_a_service_it_starts_anew_when_nobody_is_treated,
         what_was_told_by_a_clock_that_nobody_had_set_is_put_right,
         within_its_services_fence_it_knows_one_boot_from_another])
