"""A busy clinic for hours: nothing grows, whatever comes and goes meanwhile.

    soak.py BUILD_DIR        LUMBAR_SOAK_S: so many seconds (3600)

Twenty rooms and their devices with faults; browsers, a broker that restarts, reloads, questions and
sessions without end. The first six minutes warm up (the feed keeps five); what is held then is what
may be held at the end.
"""
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from clinic import TOP, Clinic, end, run, wait_for  # noqa: E402

WARM_S = 360
SECONDS = max(WARM_S + 60, int(os.environ.get("LUMBAR_SOAK_S", "3600")))
ROOMS = 20
GROWTH_KIB = 2048
FAULTS = ["2:posture:loss=5@5+100000", "3:posture:duplicates=5@5+100000", "4:massage:reorder@5+100000",
          "5:posture:malformed@5+100000", "6:posture:silence@30+20", "7:massage:overheat@20+600",
          "8:posture:reboot@60+1", "9:posture:clock=+60@40+600"]


def held(pid):
    """Anonymous memory in KiB, open files, threads."""
    status = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return (int(status["RssAnon"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")),
            int(status["Threads"]))


def come_and_go(clinic, round_):
    """What people, and the world, do to a hub in a quarter of a minute."""
    browsers = [clinic.browser(room=room) for room in (0, 1 + round_ % ROOMS, 1)]
    for browser in browsers:
        browser.until(lambda f: f.points or f.latest, "values", 30)
    for path in ("/status", "/devices", "/alarms", "/sessions"):
        assert clinic.ask(path)[0] == 200, path
    history = "/history?device=posture/p-01&metric=trunk_inclination&from=2026-01-01T00:00:00Z"
    status, answer = clinic.ask(history)
    assert status == 200, answer
    status, opened = clinic.ask("/sessions", "POST", {"room": "room-20"})
    if status in (200, 201):
        for deed in ("start", "end"):
            clinic.ask(f"/sessions/{opened['id']}/{deed}", "POST", {})
    if round_ % 4 == 1:
        clinic.hub.send_signal(signal.SIGHUP)
    if round_ % 8 == 3:
        clinic.stop_broker()
        time.sleep(3)
        clinic.start_broker()
    for browser in browsers:
        browser.close()


def nothing_grows(build):
    rooms = {f"room-{i}": [f"posture/p-{i:02}", f"massage/m-{i:02}"] for i in range(1, ROOMS + 1)}
    with Clinic(build, rooms=rooms, start=False) as clinic:
        shutil.copytree(TOP / "config/rules.d", clinic.folder / "rules.d", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("tests"))
        clinic.start_hub()
        pid = clinic.hub.pid
        arguments = [f"{build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port), "--rooms",
                     str(ROOMS)]
        for fault in FAULTS:
            arguments += ["--fault", fault]
        clinic.mqtt.close()  # it would keep what it hears
        clinic.mqtt = None
        sim = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        try:
            began, round_, warm = time.monotonic(), 0, None
            while time.monotonic() < began + SECONDS:
                come_and_go(clinic, round_)
                round_ += 1
                time.sleep(10)
                assert clinic.hub.poll() is None, "the hub has ended"
                assert sim.poll() is None, "the simulator has ended"
                if warm is None and time.monotonic() > began + WARM_S:
                    warm = held(pid)
            wait_for("the broker is back", clinic._broker_listens)
            time.sleep(5)
            last = held(pid)
        finally:
            end(sim, signal.SIGTERM)
        print(f"        {round_} rounds; warm {warm}, at the end {last} (KiB, files, threads)")
        assert last[0] <= warm[0] + GROWTH_KIB, "memory grows"
        assert last[1] <= warm[1] and last[2] <= warm[2], "files or threads grow"
        clinic.stop_hub()
        store = sqlite3.connect(clinic.folder / "history.db")
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store.close()


if __name__ == "__main__":
    run([nothing_grows])
