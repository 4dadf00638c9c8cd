"""What the running hub allocates while messages come, in all of its threads: nothing of ours, and
what its libraries take for themselves is told."""
import collections
import mmap
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import threading
import time

from clinic import Clinic, Skipped, end, run, wait_for

BENT = """
rules:
  - name: bent
    title: Bent forward
    metric: posture/trunk_inclination
    above: 50 deg
    priority: medium
    text: "Trunk bent {value} in {room}."
    action: "Ask to sit up."
"""

IDLE, LOOK, READY, COUNT = range(4)
PLACE = struct.Struct("<QQ48s48s16sII")  # struct place of tests/fixtures/count_allocations.c
PLACES = 1024
ROOMS = 10
SECONDS = 75  # longer than a minute: history and recordings seal their blocks


class Report:
    """Where allocations are counted, while it is entered."""

    def __init__(self, clinic):
        self.clinic, self.file = clinic, clinic.folder / "allocations"
        self.environment = {
            "LD_PRELOAD": f"{clinic.build}/fixtures/count_allocations/count_allocations.so",
            "LUMBAR_TEST_ALLOCATIONS": str(self.file), "LUMBAR_TEST_PLUGINS": f"{clinic.build}/plugins"}

    def phase(self, phase=None):
        with open(self.file, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            if phase is not None:
                struct.pack_into("<I", memory, 0, phase)
            return struct.unpack_from("<I", memory, 0)[0]

    def __enter__(self):
        self.phase(LOOK)
        wait_for("the modules are known", lambda: self.clinic.ask("/health") and
                 self.phase() == READY)
        time.sleep(1)  # what the question itself began is over
        self.phase(COUNT)
        return self

    def __exit__(self, *_):
        self.phase(IDLE)

    def places(self):
        data = self.file.read_bytes()
        assert struct.unpack_from("<I", data, 4)[0] == 0, "there were more places than have room"
        words = lambda text: text.split(b"\0")[0].decode()
        for at in range(PLACES):
            count, offset, caller, ours, thread, state, direct = \
                PLACE.unpack_from(data, 8 + at * PLACE.size)
            if state == 2 and count:
                yield count, words(thread), words(caller), words(ours), offset, bool(direct)


class Screen(threading.Thread):
    """Reads what a browser is sent, as it comes."""

    def __init__(self, browser):
        super().__init__(daemon=True)
        self.browser, self.frames = browser, 0
        self.start()

    def run(self):
        try:
            while self.browser.frame() is not None:
                self.frames += 1
        except (OSError, ConnectionError):
            pass  # the hub is stopped


def name_of(build, ours, offset):
    """The function, for people."""
    program = f"{build}/daemon/lumbard" if ours == "the program" else f"{build}/plugins/{ours}"
    tool = shutil.which("addr2line")
    if not offset or tool is None:
        return ours
    said = subprocess.run([tool, "-f", "-s", "-e", program, hex(offset - 1)], capture_output=True,
                          text=True, check=True).stdout.split("\n")
    return f"{said[0]}() of {ours}, {said[1]}"


class Simulator:
    def __init__(self, clinic):
        self.log = open(clinic.folder / "sim.log", "w")
        self.process = subprocess.Popen(
            [f"{clinic.build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port), "--rooms",
             str(ROOMS)], stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process, signal.SIGTERM)
        self.log.close()


def has_other_allocator(build):
    cache = (pathlib.Path(build) / "CMakeCache.txt").read_text()
    if "LUMBAR_SANITIZE:STRING=\n" not in cache or "LUMBAR_UNDER" in os.environ:
        raise Skipped("a sanitizer and valgrind have an allocator of their own")


def all_are_heard(clinic):
    devices = clinic.ask("/devices")[1]["devices"]
    return len([d for d in devices if d["messages"] > 20]) == 2 * ROOMS


def bend_and_straighten(device, seconds):
    """An alarm each second, that ends: it is told, shown, stored and published."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        device.send(trunk_inclination=[60.0])
        time.sleep(0.5)
        device.send(trunk_inclination=[0.0])
        time.sleep(0.5)


def all_have_worked(before, after, screens):
    """Each thread has done what it is there for, or that it allocated nothing says nothing."""
    for part, what, least in (("spool", "syncs", 100), ("history", "batches", 2),
                              ("history", "rows", 20), ("recorder", "blocks", ROOMS),
                              ("broker", "published", 100), ("web", "frames", 500)):
        done = after[part][what] - before[part][what]
        assert done >= least, (part, what, done)
    assert all(screen.frames > 100 for screen in screens), [s.frames for s in screens]
    assert after["refused"] == before["refused"], after


def nothing_of_ours_is_allocated_while_messages_come(build):
    has_other_allocator(build)
    rooms = {f"room-{i}": [f"posture/p-{i:02}", f"massage/m-{i:02}"] for i in range(1, ROOMS + 1)}
    rooms["gym"] = ["posture/p-99"]
    with Clinic(build, start=False, rooms=rooms, rules=BENT) as clinic:
        clinic.write_config(recorded=True)
        report = Report(clinic)
        clinic.start_hub(**report.environment)
        with Simulator(clinic):
            device = clinic.device("posture", "p-99")
            screens = [Screen(clinic.browser()), Screen(clinic.browser(room=ROOMS + 1))]
            wait_for("all devices", lambda: all_are_heard(clinic), 60)
            bend_and_straighten(device, 2)
            before = clinic.ask("/status")[1]
            with report:
                bend_and_straighten(device, SECONDS)
            after = clinic.ask("/status")[1]
        messages = after["messages"] - before["messages"]
        all_have_worked(before, after, screens)
        by_thread = collections.Counter()
        found = []
        print(f"        of {messages} messages, a message each:")
        for count, thread, caller, ours, offset, direct in sorted(report.places(), reverse=True):
            by_thread[thread] += count
            where = name_of(build, ours, offset)
            print(f"        {count / messages:8.3f}  {thread:14} {caller} {'for ' if ours else ''}{where}")
            if direct:
                found.append((count, thread, where))
        assert not found, found  # ours: never
        assert by_thread["MQTTAsync_rcv"] > messages, by_thread  # and what allocates is seen
        # Nor does any library for the loop, message by message.
        assert by_thread["lumbard"] < messages / 100, by_thread


if __name__ == "__main__":
    run([nothing_of_ours_is_allocated_while_messages_come])
