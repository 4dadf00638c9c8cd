"""A disk that is full: rooms are shown live, and no device lets go of what never came to the disk."""
import json
import resource
import signal
import sqlite3
import subprocess
import threading
import time

from clinic import Clinic, Skipped, run, wait_for
from test_history import seconds_of
from test_report import fetch

ROOMS = {"room-1": ["posture/p-01", "massage/m-01", "massage/m-02"]}
QUICK = "devices:\n  rate: 5000\n"
ENOUGH = 8192 + 4096  # bytes of a file: for the headers of the copy, and the hub's log
STATUS = "lumbar/v1/hub/lumbard/status"


class SmallSpool(Clinic):
    """With a spool that a few hundred messages lap, and a hub of little patience."""

    size, copy = "64 KiB", None

    def write_config(self, **changes):
        path = super().write_config(**changes)
        words = path.read_text().replace(
            "spool:\n", f"spool:\n  size: {self.size}\n  sync: 20 ms\n  patience: 1 s\n")
        if self.copy is not None:
            words = words.replace(f"  copy: {self.folder}/spool\n", f"  copy: {self.copy}\n")
        path.write_text(words)
        return path

    def limit_files(self, limit):
        """What a full disk does to the hub: no file grows, or is written, beyond the limit."""
        hard = resource.prlimit(self.hub.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.hub.pid, resource.RLIMIT_FSIZE, (limit, hard))

    def acked(self, device):
        """The highest sequence of this boot that was acknowledged; 0: none."""
        ack = self.proto("ack").Ack
        said = [ack.FromString(payload) for payload in
                self.received(f"lumbar/v1/{device.kind}/{device.name}/ack")]
        return max([a.sequence for a in said if a.boot_id == device.boot], default=0)

    def status(self):
        return json.loads(self.received(STATUS)[-1])

    def send(self, device, sequences, held_from):
        """Each with its sequence as its value, so that it is known again in the room."""
        metric = "trunk_inclination" if device.kind == "posture" else "massage_pressure"
        for sequence in sequences:
            self.mqtt.publish(device.topic, device.message(
                sequence=sequence, held_from=held_from, **{metric: [float(sequence)]}))

    def flood(self, device, sequences):
        """Much in few messages: a lap of the ring in 150 of them."""
        for sequence in sequences:
            self.mqtt.publish(device.topic, device.message(
                sequence=sequence, held_from=1, skin_temperature=[33.0] * 200))


def shown(browser, metric, last):
    """Reads frames until the value is seen; returns all of the metric."""
    values = []
    browser.until(lambda f: values.extend(
        round(v) for v in browser.values(f, metric) if v is not None) or last in values,
        f"{metric} {last} on the page", 20)
    return values


def none_is_told_what_never_came_to_a_full_disk(build):
    with SmallSpool(build, rooms=ROOMS, extra=QUICK) as clinic:
        held, other, late = (clinic.device("posture", "p-01"), clinic.device("massage", "m-01"),
                             clinic.device("massage", "m-02"))
        browser = clinic.browser(room=1)
        clinic.send(held, range(1, 6), 1)
        clinic.flood(other, range(1, 31))
        wait_for("all of it acknowledged", lambda: clinic.acked(held) == 5 and
                 clinic.acked(other) == 30)
        shown(browser, "trunk_inclination", 5)

        clinic.limit_files(ENOUGH)
        clinic.send(held, range(6, 9), 6)
        shown(browser, "trunk_inclination", 8)
        wait_for("a line in the log", lambda: clinic.said("nothing is acknowledged to devices"))
        clinic.flood(other, range(31, 631))
        clinic.send(late, range(1, 4), 1)
        shown(browser, "massage_pressure", 3)  # live goes on, laps later
        browser.until(lambda f: f.HasField("health") and not f.health.disk, "the page says so")
        assert clinic.said("disk: full or failing"), clinic.log_path.read_text()
        wait_for("the retained status", lambda: clinic.status().get("disk") == "refusing")
        time.sleep(1.5)
        assert clinic.acked(held) == 5, clinic.acked(held)
        assert clinic.acked(other) == 30, clinic.acked(other)
        assert clinic.acked(late) == 0, clinic.acked(late)

        clinic.limit_files(resource.RLIM_INFINITY)
        wait_for("what the ring still had is acknowledged", lambda: clinic.acked(late) == 3)
        wait_for("the status", lambda: clinic.status().get("disk") == "ok")
        assert clinic.status()["uncopied_bytes"] > 65536, clinic.status()
        assert clinic.said("disk: works again"), clinic.log_path.read_text()
        clinic.send(held, [9], 6)
        clinic.flood(other, [631])
        shown(browser, "trunk_inclination", 9)
        time.sleep(2.5)
        assert clinic.acked(held) == 5, clinic.acked(held)
        assert clinic.acked(other) == 30, clinic.acked(other)

        clinic.send(held, range(6, 9), 6)  # as a device does that is not acknowledged
        wait_for("what came again is acknowledged", lambda: clinic.acked(held) == 9)
        assert clinic.acked(other) == 30, clinic.acked(other)
        browser.until(lambda f: any(d.duplicates == 3 for d in f.devices), "used once only", 15)

        clinic.stop_hub(signal.SIGKILL)  # and a power cut: what was acknowledged is on the disk
        clinic.ring.unlink()
        clinic.start_hub()
        shown(clinic.browser(room=1), "trunk_inclination", 9)
        clinic.stop_hub()
        counts = [c for c, _ in seconds_of(clinic, "p-01", "trunk_inclination").values()]
        assert sum(counts) == 9, counts  # each once, what came twice as well


def a_hub_that_starts_with_a_full_disk_copies_when_there_is_room(build):
    with SmallSpool(build, rooms=ROOMS, extra=QUICK, start=False) as clinic:
        disk = clinic.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(disk)],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            raise Skipped(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
        try:
            clinic.write_config(copy=disk / "spool")
            clinic.start_hub()
            assert "No space left" in clinic.said("no copy on disk"), clinic.log_path.read_text()
            browser, device = clinic.browser(room=1), clinic.device("posture", "p-01")
            clinic.send(device, range(1, 6), 1)
            shown(browser, "trunk_inclination", 5)
            wait_for("the retained status", lambda: clinic.status().get("disk") == "refusing")
            assert clinic.acked(device) == 0, clinic.acked(device)
            subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
            wait_for("all of it acknowledged", lambda: clinic.acked(device) == 5)
            wait_for("the status", lambda: clinic.status().get("disk") == "ok")
            assert clinic.status()["uncopied_bytes"] == 0, clinic.status()
            clinic.stop_hub()
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def order(clinic, number, name, **body):
    status, said = clinic.ask(f"/sessions/{number}/{name}", "POST", body)
    assert status == 200, (name, said)
    return said


def what_people_say_while_the_disk_is_full_is_kept_when_there_is_room(build):
    """And nobody is told before that it were; a report tells of what is not in the file yet."""
    with SmallSpool(build, rooms=ROOMS, extra=QUICK) as clinic:
        for name in ("early", "forgotten", "leaving"):
            assert clinic.ask("/clients", "POST", {"name": name})[1]["stored"]
        clinic.limit_files(ENOUGH)
        opening = {"room": "room-1", "therapist": "AB", "client": "early"}
        status, said = clinic.ask("/sessions", "POST", opening)
        assert (status, said["stored"]) == (201, False), said
        number = said["id"]
        status, _, page = fetch(clinic, f"/sessions/{number}/report")
        assert status == 200 and "early" in page, (status, page[:400])
        assert fetch(clinic, "/sessions/4711/report")[0] == 404
        order(clinic, number, "start")
        for _ in range(63):
            order(clinic, number, "note", text="n" * 200)
        for times in range(1000):  # all of a session is put each time it changes
            assert not order(clinic, number, "pain", pain=times % 10, when="during")["stored"]
            if clinic.said("finds no room"):
                break
        assert clinic.said("a row of session"), clinic.log_path.read_text()
        order(clinic, number, "pain", pain=10, when="during")
        last = order(clinic, number, "note", text="The last one.")
        goals = ["g" * 160] * 8
        for i in range(40):  # until what is left for a note is too little for a client as well
            status, said = clinic.ask("/clients", "POST", {"name": f"late-{i}", "goals": goals})
            assert (status, said["stored"]) == (201, False), said
        assert clinic.ask("/clients/forgotten", "DELETE")[1]["stored"] is False
        told = []
        erasing = threading.Thread(
            target=lambda: told.extend(clinic.ask("/clients/leaving/erase", "POST", {})))
        erasing.start()  # it is not refused any more, and has no room
        opening = {"room": "room-1", "therapist": "AB", "client": "leaving"}
        wait_for("it is being erased", lambda: "is being erased" in
                 clinic.ask("/sessions", "POST", opening)[1].get("detail", ""))
        assert not told, told

        clinic.limit_files(resource.RLIM_INFINITY)
        wait_for("the last note", lambda: "The last one." in
                 kept(clinic, "SELECT text FROM session_note"), 60)
        wait_for("all clients", lambda: len(kept(clinic, "SELECT alias FROM client")) == 41, 60)
        erasing.join(30)
        assert told and told[0] == 200, told
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        now = clinic.ask(f"/sessions/{number}")[1]
        assert (now["pain"], now["notes"]) == (last["pain"], last["notes"]), now
        clients = {c["name"] for c in clinic.ask("/clients")[1]["clients"]}
        assert clients == {"early"} | {f"late-{i}" for i in range(40)}, clients


def kept(clinic, sql):
    """The first column of what is in the file."""
    db = sqlite3.connect(f"file:{clinic.folder}/history.db?mode=ro", uri=True)
    try:
        return [row[0] for row in db.execute(sql)]
    finally:
        db.close()


def another_size_of_the_spool_loses_nothing_that_waited(build):
    with SmallSpool(build, rooms=ROOMS, extra=QUICK) as clinic:
        device = clinic.device("posture", "p-01")
        clinic.send(device, range(1, 4), 1)
        wait_for("acknowledged", lambda: clinic.acked(device) == 3)
        clinic.hub.send_signal(signal.SIGSTOP)
        clinic.send(device, range(4, 7), 4)  # some may lie in the ring already, some do not
        clinic.stop_hub(signal.SIGKILL)
        clinic.write_config(size="256 KiB")
        clinic.start_hub()
        assert clinic.said("its size is now 262144 bytes"), clinic.log_path.read_text()
        values = shown(clinic.browser(room=1), "trunk_inclination", 6)
        assert values == [1, 2, 3, 4, 5, 6], values
        assert not list(clinic.folder.glob("*damaged*")) and clinic.ring.stat().st_size > 262144


def what_is_too_large_is_dropped_counted_and_does_not_come_back(build):
    with Clinic(build, rooms=ROOMS) as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        clinic.mqtt.publish(device.topic, b"\x0a" * 16385, qos=1)
        device.send(trunk_inclination=[7.0])
        shown(browser, "trunk_inclination", 7)
        line = wait_for("a line in the log", lambda: clinic.said("are dropped"))
        assert "(1 of them)" in line, line
        clinic.stop_hub()
        clinic.start_hub()  # the same session: the broker would send again what it has no PUBACK for
        device.send(trunk_inclination=[8.0])
        shown(clinic.browser(room=1), "trunk_inclination", 8)
        time.sleep(6)  # longer than the hub takes to say it
        assert not clinic.said("are dropped"), clinic.said("are dropped")


if __name__ == "__main__":
    run([none_is_told_what_never_came_to_a_full_disk,
         what_people_say_while_the_disk_is_full_is_kept_when_there_is_room,
         a_hub_that_starts_with_a_full_disk_copies_when_there_is_room,
         another_size_of_the_spool_loses_nothing_that_waited,
         what_is_too_large_is_dropped_counted_and_does_not_come_back])
