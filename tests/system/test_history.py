"""What is kept: alarms through kills and power cuts, a buffer of an hour at its right times, once."""
import signal
import sqlite3
import time

from clinic import Clinic, now_ms, run, wait_for

ROOMS = {"room-1": ["posture/p-01"]}
BENT = """
rules:
  - name: bent
    title: Bent forward
    metric: posture/trunk_inclination
    above: 20 deg
    clear: 18 deg
    priority: medium
    text: "Trunk bent {value} in {room}."
"""


def unpack(packed):
    """A packed block (daemon/core/block.h): {slot: (count, least, mean, greatest)}."""
    at = 1

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = packed[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def column(count, once=False):
        values, before = [], 0
        for _ in range(min(count, 1) if once else count):
            value = number()
            before += (value >> 1) ^ -(value & 1)
            values.append(before)
        return values * count if once else values

    flags = packed[0]
    assert flags & 15 == 1, flags
    slots = list(range(60))
    if not flags & 0x10:
        present = int.from_bytes(packed[at:at + 8], "little")
        at += 8
        slots = [i for i in slots if present >> i & 1]
    counts, least = column(len(slots), flags & 0x20), column(len(slots))
    mean, most = least, least
    if not flags & 0x40:
        mean = [a + number() for a in least]
        most = [a + number() for a in mean]
    assert at == len(packed)
    return dict(zip(slots, zip(counts, least, mean, most)))


def file_of(clinic):
    return sqlite3.connect(f"file:{clinic.folder}/history.db?mode=ro", uri=True)


def seconds_of(clinic, device, metric):
    """{second: (count, mean in its unit)} of all that is in the file."""
    seconds = {}
    for minute, packed, low, step in file_of(clinic).execute(
            "SELECT minute, block, min, step FROM second JOIN device ON device.id = device"
            " JOIN metric ON metric.id = metric WHERE device.name = ? AND metric.name = ?",
            (device, metric)):
        for slot, (count, _, mean, _) in unpack(packed).items():
            seconds[minute * 60 + slot] = (count, low + mean * step)
    return seconds


def alarm_rows(clinic):
    return file_of(clinic).execute(
        "SELECT number, presence, rule, device, room FROM alarm ORDER BY number").fetchall()


def transitions(clinic):
    return file_of(clinic).execute(
        "SELECT alarm, presence FROM alarm_transition ORDER BY alarm, change").fetchall()


def standing(clinic):
    """The numbers of the alarms that a browser is shown as standing."""
    browser = clinic.browser()
    frame = browser.until(lambda f: f.HasField("hello"))
    end, numbers = time.monotonic() + 1.5, {a.number for a in frame.alarms if a.presence == 1}
    while time.monotonic() < end:
        frame = browser.frame(0.3)
        if frame is not None:
            numbers |= {a.number for a in frame.alarms if a.presence == 1}
    browser.close()
    return numbers


def is_stored(clinic, rows):
    return wait_for("the alarm in the file", lambda: alarm_rows(clinic) == rows)


def an_alarm_survives_a_kill_and_a_power_cut(build):
    with Clinic(build, rooms=ROOMS, rules=BENT) as clinic:
        device = clinic.device("posture", "p-01")
        device.send(trunk_inclination=[25.0])
        is_stored(clinic, [(1, 1, "bent", "p-01", "room-1")])
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert clinic.said("1 alarms still stand"), clinic.log_path.read_text()
        assert standing(clinic) == {1}

        clinic.stop_hub(signal.SIGKILL)  # the machine too: no message is left that would say it
        clinic.ring.unlink()
        (clinic.folder / "spool").unlink()
        clinic.start_hub()
        assert standing(clinic) == {1}
        assert transitions(clinic) == [(1, 1)], transitions(clinic)

        device.send(trunk_inclination=[5.0])  # its rule knows that it is on
        is_stored(clinic, [(1, 0, "bent", "p-01", "room-1")])
        device.send(trunk_inclination=[25.0])
        is_stored(clinic, [(1, 0, "bent", "p-01", "room-1"), (2, 1, "bent", "p-01", "room-1")])
        assert transitions(clinic) == [(1, 1), (1, 0), (2, 1)], transitions(clinic)


def an_alarm_that_a_kill_overtook_is_in_the_file_once(build):
    """Whatever moment the kill falls on: each transition is there, and none twice."""
    with Clinic(build, rooms=ROOMS, rules=BENT) as clinic:
        device = clinic.device("posture", "p-01")
        for round_ in range(6):
            acknowledged = clinic.mqtt.acknowledged
            for degrees in (25.0, 5.0):
                device.send(trunk_inclination=[degrees])
            wait_for("both taken", lambda: clinic.mqtt.acknowledged >= acknowledged + 2)
            time.sleep(0.25 * round_)
            clinic.stop_hub(signal.SIGKILL)
            clinic.start_hub()
        assert standing(clinic) == set()
        clinic.stop_hub()
        assert [row[:2] for row in alarm_rows(clinic)] == [(n, 0) for n in range(1, 7)]
        assert transitions(clinic) == [(n, on) for n in range(1, 7) for on in (1, 0)]


def without_its_rule_it_ends(build):
    with Clinic(build, rooms=ROOMS, rules=BENT) as clinic:
        clinic.device("posture", "p-01").send(trunk_inclination=[25.0])
        is_stored(clinic, [(1, 1, "bent", "p-01", "room-1")])
        clinic.stop_hub(signal.SIGKILL)
        clinic.write_config(rules="rules: []\n")
        clinic.start_hub()
        assert standing(clinic) == set()
        is_stored(clinic, [(1, 0, "bent", "p-01", "room-1")])


def a_buffer_of_an_hour_lands_at_its_times_once(build):
    """A wearable that kept an hour: it is heard, then gives what it held, a message a second with
    five samples, some of it twice; the hub is killed in the middle."""
    hour, rows = 3600, 5
    with Clinic(build, rooms=ROOMS, extra="devices:\n  rate: 5000\n") as clinic:
        device = clinic.device("posture", "p-01")
        # The five samples span 80 ms: begun so far within a second, they stay in one, however late.
        wait_for("a part of a second", lambda: 100 <= now_ms() % 1000 < 600)
        began = now_ms() // 1000 * 1000 - 980

        def give(sequence):
            """As it was made: hour - sequence seconds ago."""
            device.clock_ms = began - (hour - sequence) * 1000 - now_ms()
            clinic.mqtt.publish(device.topic, device.message(
                sequence=sequence, held_from=1, step_ms=20,
                trunk_inclination=[float(sequence % 60)] * rows))

        give(hour)  # the newest first, so that its clock is known
        for sequence in range(1, hour // 2):
            give(sequence)
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        for sequence in range(hour // 2 - 300, hour + 1):  # 300 of them once more
            give(sequence)
        wait_for("all of it acknowledged", lambda: clinic.mqtt.acknowledged >=
                 hour // 2 + hour // 2 + 301, 30)
        acks = clinic.proto("ack").Ack
        wait_for("the device may let go of it", lambda: any(
            acks.FromString(p).sequence == hour
            for p in clinic.received("lumbar/v1/posture/p-01/ack")), 20)
        clinic.stop_hub()
        seconds = seconds_of(clinic, "p-01", "trunk_inclination")
        wrong = {s: v for s, v in seconds.items() if v[0] != rows}
        assert not wrong and len(seconds) == hour, (len(seconds), dict(list(wrong.items())[:5]))
        first = min(seconds)
        shift = first - (began // 1000 - hour + 1)
        assert shift in (0, 1), shift  # of its clock: what a message takes
        for second, (_, mean) in seconds.items():
            sequence = second - first + 1
            assert abs(mean - sequence % 60) < 0.01, (second, mean, sequence)


def what_is_stored_comes_once_though_the_ring_is_gone(build):
    """The hub is killed and its ring and copy are lost, as when both were lapped: a device that did
    not hear its acknowledgement delivers again all that it holds."""
    with Clinic(build, rooms=ROOMS, rules=BENT) as clinic:
        device = clinic.device("posture", "p-01")
        began = now_ms()

        def give(sequence):
            device.clock_ms = began + sequence * 100 - now_ms()
            clinic.mqtt.publish(device.topic, device.message(
                sequence=sequence, held_from=1, trunk_inclination=[25.0 if sequence > 5 else 1.0]))

        for sequence in (1, 2, 3, 4, 6, 7):  # 5 is still to come
            give(sequence)
        is_stored(clinic, [(1, 1, "bent", "p-01", "room-1")])
        clinic.stop_hub(signal.SIGKILL)
        clinic.ring.unlink()
        (clinic.folder / "spool").unlink()
        clinic.mqtt.received.clear()
        clinic.start_hub()
        acks = clinic.proto("ack").Ack

        def told():
            return [acks.FromString(p).sequence
                    for p in clinic.received("lumbar/v1/posture/p-01/ack")]

        wait_for("it is told what is safe before it says a word", lambda: told() == [4])
        for sequence in range(1, 10):
            give(sequence)
        wait_for("it may let go of all of it", lambda: told()[-1:] == [9], 20)
        clinic.stop_hub()
        counts = [c for c, _ in seconds_of(clinic, "p-01", "trunk_inclination").values()]
        assert sum(counts) == 9, counts


class Impatient(Clinic):
    """It waits for a disk for a second, and has little memory for what it cannot write."""

    def write_config(self, **changes):
        path = super().write_config(**changes)
        path.write_text(path.read_text().replace("spool:\n", "spool:\n  patience: 1 s\n").replace(
            "history:\n", "history:\n  memory: 512 KiB\n"))
        return path


def a_history_that_is_suspended_is_said_and_goes_on(build):
    """A store that cannot write for longer than spool.patience: live goes on, nothing is told to be
    safe, and what was gathered meanwhile is in the file when it can be written again."""
    with Impatient(build, rooms=ROOMS, rules=BENT) as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        device.send(trunk_inclination=[25.0])
        is_stored(clinic, [(1, 1, "bent", "p-01", "room-1")])
        blocker = sqlite3.connect(f"{clinic.folder}/history.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")  # another one writes: ours is refused
        device.send(trunk_inclination=[5.0])
        wait_for("it is said", lambda: clinic.said("history is suspended"), 10)
        browser.until(lambda f: any(a.presence == 0 for a in f.alarms), "the end, live")
        device.send(held_from=1, trunk_inclination=[6.0])
        time.sleep(1)
        assert not clinic.received("lumbar/v1/posture/p-01/ack")
        blocker.execute("ROLLBACK")
        blocker.close()
        wait_for("it goes on", lambda: clinic.said("history goes on"), 10)
        wait_for("an ack", lambda: clinic.received("lumbar/v1/posture/p-01/ack"), 10)
        is_stored(clinic, [(1, 0, "bent", "p-01", "room-1")])
        clinic.stop_hub()
        assert sum(c for c, _ in seconds_of(clinic, "p-01", "trunk_inclination").values()) == 3


def what_found_no_room_is_wanted_again_and_comes_once(build):
    """More than memory holds comes while the file cannot be written, a minute's block a message. Of
    what was lost nothing is acknowledged, and it is in the file once when it was sent again."""
    messages = 2000
    with Impatient(build, rooms=ROOMS, rules=BENT, extra="devices:\n  rate: 9000\n") as clinic:
        device = clinic.device("posture", "p-01")
        began = now_ms() // 60000 * 60000

        def give(sequence):
            """As it was made: as many minutes ago as messages follow it."""
            device.clock_ms = began - (messages - sequence) * 60000 - now_ms()
            clinic.mqtt.publish(device.topic, device.message(
                sequence=sequence, held_from=1, trunk_inclination=[7.0]))

        def told():
            acks = clinic.proto("ack").Ack
            return max([acks.FromString(p).sequence for p in
                        clinic.received("lumbar/v1/posture/p-01/ack")], default=0)

        blocker = sqlite3.connect(f"{clinic.folder}/history.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        give(messages)  # the newest first, so that its clock is known
        for sequence in range(1, messages):
            give(sequence)
        wait_for("some find no room", lambda: clinic.said("are shown live and not kept"), 20)
        wait_for("all are heard", lambda: clinic.mqtt.acknowledged >= messages, 20)
        wait_for("the file refused", lambda: clinic.said("cannot write to"), 30)
        blocker.execute("ROLLBACK")
        blocker.close()
        wait_for("it goes on", lambda: clinic.said("can be written again"), 10)
        kept = wait_for("what is in the file is acknowledged", told, 10)
        assert kept < messages - 1, kept
        clinic.stop_hub(signal.SIGKILL)  # what is missing is known after a restart, too
        clinic.start_hub()
        for _ in range(10):  # as a device does: some may find no room again
            for sequence in range(told() + 1, messages + 1):
                give(sequence)
            try:
                wait_for("all of it is acknowledged", lambda: told() == messages, 3)
                break
            except AssertionError:
                continue
        assert told() == messages, told()
        clinic.stop_hub()
        counts = [c for c, _ in seconds_of(clinic, "p-01", "trunk_inclination").values()]
        assert len(counts) == messages and set(counts) == {1}, (len(counts), set(counts))


def a_newer_file_stops_the_start_with_a_sentence(build):
    with Clinic(build, rooms=ROOMS) as clinic:
        clinic.stop_hub()
        history = sqlite3.connect(f"{clinic.folder}/history.db")
        history.execute("PRAGMA user_version = 99")
        history.close()
        clinic.start_hub(wait=False)
        assert clinic.hub.wait(20) == 1
        clinic.hub = None
        log = clinic.log_path.read_text()
        assert "was made by a newer version of Lumbar" in log, log


if __name__ == "__main__":
    run([an_alarm_survives_a_kill_and_a_power_cut,
         an_alarm_that_a_kill_overtook_is_in_the_file_once,
         without_its_rule_it_ends,
         a_buffer_of_an_hour_lands_at_its_times_once,
         what_is_stored_comes_once_though_the_ring_is_gone,
         a_history_that_is_suspended_is_said_and_goes_on,
         what_found_no_room_is_wanted_again_and_comes_once,
         a_newer_file_stops_the_start_with_a_sentence])
