"""lumbar-sim on a real broker: what a clinic says, and each fault as it is seen on the wire."""
import pathlib
import signal
import subprocess
import tempfile
import time

from clinic import Clinic, Mqtt, free_port, now_ms, run, wait_for

TELEMETRY = "lumbar/v1/+/+/telemetry"
STATUS = "lumbar/v1/+/+/status"
SILENT = -2**31

# What the plugins call possible, in the wire's units.
POSTURE_RANGES = {"lumbar_flexion": (-4000, 10000), "lumbar_flexion_velocity": (-3000, 3000),
                  "trunk_inclination": (-3000, 12000), "lumbar_lateral_flexion": (-4500, 4500),
                  "lumbar_rotation": (-2500, 2500)}
MASSAGE_RANGES = {"massage_pressure": (0, 10000), "massage_force": (0, 3000),
                  "percussion_frequency": (0, 6000), "percussion_amplitude": (0, 2000),
                  "skin_temperature": (2000, 5000), "surface_temperature": (0, 8000),
                  "motor_current": (0, 20000), "motor_temperature": (0, 12000),
                  "motor_vibration": (0, 16000)}


class Wire:
    """All that devices say on a broker of its own; no hub."""

    def __init__(self, build, hub=False):
        self.build = pathlib.Path(build)
        self.clinic = Clinic(build, start=hub)

    def __enter__(self):
        self.clinic.__enter__()
        self.listen()
        return self

    def __exit__(self, *why):
        self.listener.close()
        self.clinic.__exit__(*why)

    def listen(self):
        self.listener = Mqtt(self.clinic.broker_port, f"listener-{time.monotonic_ns()}",
                             [TELEMETRY, STATUS])
        time.sleep(0.2)  # subscribed

    def start(self, *arguments, **more):
        return subprocess.Popen(
            [self.build / "tests/sim/lumbar-sim", "--port", str(self.clinic.broker_port),
             *map(str, arguments)], stdin=subprocess.DEVNULL, **more)

    def play(self, *arguments):
        """A whole run; its messages as {device: [message, ...]} in the order they came."""
        before = len(self.listener.received)
        process = self.start(*arguments)
        assert process.wait(60) == 0
        time.sleep(0.3)
        return self.messages(before)

    def messages(self, since=0):
        said = {}
        for topic, payload, retained in self.listener.received[since:]:
            _, _, kind, device, leaf = topic.split("/")
            assert not retained
            if leaf == "telemetry":
                said.setdefault(device, []).append(self.decode(kind, payload))
        return said

    def decode(self, kind, payload):
        """None where it cannot be decoded."""
        try:
            return self.clinic.proto(kind).Telemetry.FromString(payload)
        except Exception:  # protobuf's own DecodeError, whose module depends on its version
            return None

    def statuses(self, kind, device):
        topic = f"lumbar/v1/{kind}/{device}/status"
        return [self.clinic.proto(kind).Status.FromString(payload)
                for name, payload, _ in self.listener.received if name == topic]

    def acknowledge(self, kind, device, boot, sequence):
        ack = self.clinic.proto("ack").Ack(boot_id=boot, sequence=sequence)
        self.clinic.mqtt.publish(f"lumbar/v1/{kind}/{device}/ack", ack.SerializeToString(), qos=0)


def columns(message):
    """The measured values of a message: what must be the same for the same seed."""
    names = [*POSTURE_RANGES, "posture"] if hasattr(message, "posture") else [*MASSAGE_RANGES]
    return [(name, tuple(getattr(message, name))) for name in names] + [tuple(message.dt_ms)]


def a_clinic_of_three_rooms_says_plausible_things_in_sequence(build):
    with Wire(build) as wire:
        began = now_ms()
        said = wire.play("--rooms", 3, "--seconds", 4)
        assert sorted(said) == ["m-01", "m-02", "m-03", "p-01", "p-02", "p-03"], sorted(said)
        boots = {messages[0].boot_id for messages in said.values()}
        assert len(boots) == 6 and 0 not in boots, boots
        for device, messages in said.items():
            posture = device.startswith("p")
            assert [m.sequence for m in messages] == list(range(1, len(messages) + 1)), device
            assert 18 <= len(messages) <= 28, (device, len(messages))  # a busy machine ends late
            step, rows = (20, 10) if posture else (100, 2)
            times = []
            for message in messages:
                assert message.held_from == 1 and message.wall_clock, message
                assert began <= message.now_ms <= now_ms(), message
                at = message.start_ms
                for dt in message.dt_ms:
                    at += dt
                    times.append(at)
                for name, (low, high) in (POSTURE_RANGES if posture else MASSAGE_RANGES).items():
                    column = getattr(message, name)
                    assert len(column) == len(message.dt_ms), (device, name)
                    assert all(low <= v <= high for v in column if v != SILENT), (name, column)
                assert 0 < message.battery <= 100 and -110 <= message.rssi < 0, message
            assert {b - a for a, b in zip(times, times[1:])} == {step}, device
            assert all(len(m.dt_ms) == rows for m in messages[:-1]), device
        slouch = said["p-01"][-1]
        assert slouch.posture[-1] == 2 and 240 < slouch.slouch_duration_s < 300, slouch
        heat = said["m-02"][-1]
        assert heat.state == 2 and heat.program == 2 and heat.contact, heat
        for device, kind in (("p-01", "posture"), ("m-02", "massage")):
            status = wire.statuses(kind, device)
            assert len(status) == 1, status  # it begins; nothing of it changed
            assert status[0].boot_id == said[device][0].boot_id, status
            assert status[0].firmware.startswith("lumbar-sim "), status


def the_same_seed_says_the_same_and_another_one_does_not(build):
    with Wire(build) as wire:
        first = wire.play("--rooms", 4, "--seconds", 3, "--seed", 5)
        second = wire.play("--rooms", 4, "--seconds", 3, "--seed", 5)
        other = wire.play("--rooms", 4, "--seconds", 3, "--seed", 6)
        compared = 0
        for device in first:
            assert first[device][0].boot_id != second[device][0].boot_id, "the same boot twice"
            for one, two in zip(first[device][:-1], second[device][:-1]):  # the last is cut
                assert columns(one) == columns(two), (device, one.sequence)
                compared += 1
        assert compared > 8 * 10, compared
        for device in first:
            assert columns(first[device][0]) != columns(other[device][0]), device


def rate_and_batch_are_as_asked(build):
    with Wire(build) as wire:
        said = wire.play("--rooms", 1, "--seconds", 3, "--rate", 200, "--batch", 50)
        assert 55 <= len(said["p-01"]) <= 80, len(said["p-01"])
        assert all(len(m.dt_ms) == 10 for m in said["p-01"][:-1])
        assert sum(len(m.dt_ms) for m in said["m-01"]) in range(116, 160)


def after_a_reconnect_only_what_is_not_acknowledged_is_sent_again(build):
    with Wire(build) as wire:
        process = wire.start("--rooms", 1)
        try:
            wait_for("ten messages", lambda: len(wire.messages().get("p-01", [])) >= 10)
            boot = wire.messages()["p-01"][0].boot_id
            wire.acknowledge("posture", "p-01", boot + 1, 9)  # of another boot: nothing
            wire.acknowledge("posture", "p-01", boot, 6)
            wait_for("it lets go of 1 to 6",
                     lambda: wire.messages()["p-01"][-1].held_from == 7)
            held = {m.sequence: m for m in wire.messages()["p-01"]}
            time.sleep(1)
            since = len(wire.listener.received)
            # Who takes its name at the broker throws it out; it comes back.
            Mqtt(wire.clinic.broker_port, f"lumbar-sim-{process.pid}-0").close()
            wait_for("it comes back and sends again",
                     lambda: any(m.sequence == 7 for m in wire.messages(since).get("p-01", [])))
            time.sleep(1)
            said = wire.messages(since)
            again = said["p-01"]
            again = again[next(i for i, m in enumerate(again) if m.sequence == 7):]
            sequences = [m.sequence for m in again]
            assert sequences == list(range(7, 7 + len(sequences))), "in order, none left out"
            resent = [m for m in again if m.sequence in held]
            assert len(resent) >= 4, sequences
            for message in resent:
                before = held[message.sequence]
                assert columns(message) == columns(before)
                assert message.start_ms == before.start_ms
                assert message.now_ms > before.now_ms + 1000, "its clock is fresh"
                assert message.held_from == 7, message
            assert min(m.sequence for m in again) == 7
            assert any(m.sequence == 1 for m in said["m-01"]), "that one was told nothing"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def faults(*specs):
    return [word for spec in specs for word in ("--fault", spec)]


def each_fault_is_seen_on_the_wire(build):
    with Wire(build) as wire:
        said = wire.play("--rooms", 12, "--seconds", 8, *faults(
            "1:posture:silence@2+3", "2:posture:loss=30@0", "3:posture:duplicates=50@0",
            "4:posture:reorder@0", "5:posture:clock=+90@2+3", "6:posture:malformed@2+2",
            "7:posture:battery=8@0", "7:massage:battery=9@0", "8:massage:stall@1",
            "9:posture:contact@2", "10:posture:reboot@2+1"))

        def sequences(device):
            return [m.sequence for m in said[device] if m]

        gap = [b.now_ms - a.now_ms for a, b in zip(said["p-01"], said["p-01"][1:])]
        assert max(gap) > 2500, gap
        assert sequences("p-01") == list(range(1, len(said["p-01"]) + 1)), "it was held"

        lost = set(range(1, max(sequences("p-02")))) - set(sequences("p-02"))
        assert 4 <= len(lost) <= 22, lost

        twice = len(sequences("p-03")) - len(set(sequences("p-03")))
        assert 8 <= twice <= 32, twice

        order = sequences("p-04")
        assert order != sorted(order) and len(set(order)) == len(order), order

        ahead = [m.now_ms - said["p-12"][0].now_ms > 60_000 for m in said["p-05"]]
        assert not ahead[0] and not ahead[-1] and 12 <= sum(ahead) <= 18, ahead
        # Its rows as well; only what was measured before a jump and sent after it is apart.
        apart = [abs(m.now_ms - m.start_ms) > 1000 for m in said["p-05"]]
        assert sum(apart) <= 2, apart

        assert 8 <= said["p-06"].count(None) <= 12, said["p-06"].count(None)
        assert said["p-12"].count(None) == 0

        assert said["p-07"][-1].battery == 8 and said["m-07"][-1].battery == 9

        current = [v for m in said["m-08"] for v in m.motor_current]
        assert max(current[:8]) < 5000 < max(current), current
        assert [f for m in said["m-08"] for f in m.faults] == [1], "stall, told once"
        assert said["m-08"][-1].state == 4, "it has switched itself off"
        assert wire.statuses("massage", "m-08")[-1].state == 4

        off = said["p-09"][-1]
        assert not off.contact and set(off.posture) == {9}, off
        assert set(off.trunk_inclination) == {SILENT}, off
        assert not wire.statuses("posture", "p-09")[-1].contact

        boots = [m.boot_id for m in said["p-10"]]
        assert len(set(boots)) == 2, boots
        second = [m for m in said["p-10"] if m.boot_id == boots[-1]]
        assert second[0].sequence == 1 and second[0].held_from == 1, second[0]
        assert len(wire.statuses("posture", "p-10")) == 2


def a_stuck_thermostat_warms_the_skin_until_the_device_cuts_out(build):
    with Wire(build) as wire:
        said = wire.play("--rooms", 2, "--seconds", 4, "--speed", 60,
                         *faults("2:massage:overheat@0"))["m-02"]
        skin = [v for m in said for v in m.skin_temperature]
        assert skin[0] < 4250 and max(skin) > 4500, (skin[0], max(skin))
        assert [f for m in said for f in m.faults] == [2], "overheat, told once"
        assert said[-1].state == 4 and skin[-1] < max(skin), "off, and cooling"


def without_acknowledgements_it_begins_again_after_ten_seconds(build):
    with Wire(build) as wire:
        said = wire.play("--rooms", 1, "--seconds", 13)["p-01"]
        again = [i for i, (a, b) in enumerate(zip(said, said[1:])) if b.sequence < a.sequence]
        assert len(again) == 1, again
        first = said[again[0] + 1]
        assert first.sequence == 1 and first.now_ms - said[0].now_ms > 9900, first


def the_hub_acknowledges_and_the_device_lets_go(build):
    with Wire(build, hub=True) as wire:
        said = wire.play("--rooms", 2, "--seconds", 10)
        for device, messages in said.items():
            last = messages[-1]
            assert last.sequence >= 45 and last.sequence - last.held_from < 30, last
            assert len(messages) == last.sequence, f"{device} sent something again"


def a_signal_ends_it_within_a_second_and_leaves_nothing(build):
    with Wire(build) as wire, tempfile.TemporaryDirectory() as place:
        for how in (signal.SIGINT, signal.SIGTERM):
            before = len(wire.listener.received)
            process = wire.start("--rooms", 6, cwd=place, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
            wait_for("it speaks", lambda: len(wire.listener.received) > before + 30)
            asked = time.monotonic()
            process.send_signal(how)
            out, error = process.communicate(timeout=5)
            took = time.monotonic() - asked
            assert process.returncode == 0 and took < 1, (process.returncode, took)
            assert out == b"" and error == b"", (out, error)
            assert list(pathlib.Path(place).iterdir()) == []


def a_broker_that_comes_late_is_found_and_none_at_all_is_told(build):
    port = free_port()
    program = pathlib.Path(build) / "tests/sim/lumbar-sim"
    none = subprocess.run([program, "--port", str(port), "--seconds", "1"], capture_output=True,
                          text=True, timeout=20)
    assert none.returncode == 1 and "the broker was never reached" in none.stderr, none
    with Wire(build) as wire:
        wire.clinic.stop_broker()
        wire.listener.close()
        process = wire.start("--rooms", 1)
        try:
            time.sleep(2)
            wire.clinic.start_broker()
            wire.listen()
            wait_for("it is heard", lambda: wire.messages().get("p-01"), 20)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


run([a_clinic_of_three_rooms_says_plausible_things_in_sequence,
     the_same_seed_says_the_same_and_another_one_does_not,
     rate_and_batch_are_as_asked,
     after_a_reconnect_only_what_is_not_acknowledged_is_sent_again,
     each_fault_is_seen_on_the_wire,
     a_stuck_thermostat_warms_the_skin_until_the_device_cuts_out,
     without_acknowledgements_it_begins_again_after_ten_seconds,
     the_hub_acknowledges_and_the_device_lets_go,
     a_signal_ends_it_within_a_second_and_leaves_nothing,
     a_broker_that_comes_late_is_found_and_none_at_all_is_told])
