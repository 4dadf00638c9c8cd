"""Recordings: kill -9, torn tails and a full disk leave them sound; a replay is what the hub did."""
import json
import os
import random
import re
import signal
import struct
import subprocess
import time
from datetime import datetime

from clinic import Clinic, Mqtt, Skipped, run, wait_for

ROOMS = {"room-1": ["posture/p-01", "massage/m-01"], "room-2": ["posture/p-02", "massage/m-02"]}
RULES = """
rules:
  - {name: bent, title: Bent, metric: trunk_inclination, above: 20 deg, clear: 15 deg, for: 500 ms,
     clear_for: 200 ms, priority: medium, text: "Trunk at {value}."}
  - {name: quiet, title: Quiet, metric: trunk_inclination, absent: 4 s, priority: low,
     text: "Nothing of {device} for {for}."}
"""


class Recorded(Clinic):
    def __init__(self, build, **more):
        super().__init__(build, rules=RULES, start=False, **more)
        self.recorded = True

    def recording(self, command, *arguments):
        return subprocess.run([f"{self.build}/daemon/lumbarctl", "recording", command, "--config",
                               f"{self.folder}/lumbard.yaml", *map(str, arguments)],
                              capture_output=True, text=True, timeout=60)

    def tapes(self, room="room-1"):
        return sorted(self.recordings.glob(f"{room}_*.rec*"))

    def replay(self, tape):
        """What a replay of one prints; it has to be whole."""
        ended = self.recording("replay", tape)
        assert ended.returncode == 0, ended
        return ended.stdout

    def kill(self):
        self.stop_hub(signal.SIGKILL)

    def acked(self, device):
        """The highest sequence that the device was told is on disk."""
        ack = self.proto("ack").Ack
        said = [ack.FromString(payload) for payload in
                self.received(f"lumbar/v1/{device.kind}/{device.name}/ack")]
        return max([a.sequence for a in said if a.boot_id == device.boot], default=0)

    def wait_idle(self, device):
        """Until the hub has used all that the broker had for it."""
        wait_for("everything is acknowledged", lambda: self.acked(device) == device.sequence, 20)


def counts_of(printed):
    found = re.search(r"(\d+) messages: (\d+) used, (\d+) repeated, (\d+) refused; (\d+) samples",
                      printed)
    return [int(number) for number in found.groups()]


def alarms_of(printed):
    return re.findall(r"^(\S+)  (raised|ended )  \w+  (\S+)  (\S+)  ", printed, re.MULTILINE)


def a_clinic_is_recorded_whole_however_often_the_hub_is_killed(build):
    with Recorded(build, rooms=ROOMS) as clinic:
        clinic.start_hub()
        sim = subprocess.Popen([f"{build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port),
                                "--rooms", "2", "--seconds", "14"], stdin=subprocess.DEVNULL)
        try:
            for _ in range(5):
                time.sleep(random.uniform(0.3, 2.5))
                clinic.kill()
                clinic.start_hub()
            assert sim.wait(40) == 0
        finally:
            if sim.poll() is None:
                sim.kill()
                sim.wait(5)
        time.sleep(3)  # what the broker kept meanwhile
        clinic.stop_hub()
        ended = clinic.recording("verify")
        assert ended.returncode == 0 and ended.stdout.count(": good (open, ") == 2, ended
        for number in (1, 2):
            tapes = clinic.tapes(f"room-{number}")
            assert len(tapes) == 1, tapes
            printed = clinic.replay(tapes[0])
            messages, used, repeated, refused, samples = counts_of(printed)
            # 14 s: 50 rows a second of 6 columns, 10 of 8, and what is said once a message.
            assert used == messages and messages >= 2 * 14 * 5 and repeated == refused == 0, printed
            assert samples >= 13.5 * (50 * 5 + 10 * 8), printed
            for device in (f"posture/p-0{number}", f"massage/m-0{number}"):
                assert re.search(rf"^{device}  \d+ messages, 0 lost, 0 repeated, 0 late, 1 starts$",
                                 printed, re.MULTILINE), printed


SESSION_RULES = """
derived:
  - {name: dose, metric: skin_temperature, dose: {full: 10 s, at: 40 Cel, doubles: 1 Cel},
     reset: session}
rules:
  - {name: hot, metric: skin_temperature, above: limit(skin_temperature), priority: medium,
     text: "{value} in {phase}, limit {limit}."}
  - {name: dosed, metric: dose, above: 15 %, priority: low, text: "A dose in {phase}."}
  - {name: resting, metric: skin_temperature, above: 38 Cel, armed: [rest], priority: low,
     text: "{value} in {phase}."}
  - {name: far, metric: lumbar_flexion, above: 50 % of own_range(lumbar_flexion), priority: low,
     text: "{value}, limit {limit}."}
  - {name: bent, metric: trunk_inclination, above: 20 deg, priority: low, text: "{value}."}
"""
SESSION_PLAN = """
name: own
phases:
  - {kind: heat, time: 9 min, limits: [{metric: skin_temperature, above: 41 Cel}]}
  - {kind: rest, time: 1 min}
"""
CLIENT = {"name": "A-17", "own": [{"metric": "lumbar_flexion", "low": "-20 deg", "high": "50 deg",
                                   "measured": time.strftime("%Y-%m-%d", time.gmtime())}]}


def a_session_is_replayed_with_its_phases_limits_doses_and_zeros(build):
    with Clinic(build, rules=SESSION_RULES, plans={"own": SESSION_PLAN}) as clinic:
        posture, massage = clinic.device("posture", "p-01"), clinic.device("massage", "m-01")

        def say(flexion, trunk, skin, times=3):
            for _ in range(times):
                posture.send(lumbar_flexion=[flexion] * 10, trunk_inclination=[trunk] * 10)
                massage.send(skin_temperature=[skin] * 10)
                time.sleep(0.2)
        assert clinic.ask("/clients", "POST", CLIENT)[0] == 201
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                  "client": "A-17", "plan": "own"})[1]["id"]
        say(30, 10, 42)  # no session runs
        assert clinic.ask(f"/sessions/{number}/start", "POST", {})[0] == 200
        say(5, 5, 39)
        assert clinic.ask("/devices/posture/p-01/neutral", "POST", {"seconds": 1})[0] == 202
        say(5, 12, 39, times=12)
        wait_for("a zero", lambda: clinic.ask("/devices/posture/p-01/calibration")[1]["neutral"]
                 ["state"] == "done")
        say(31, 30, 42)  # 18 and 26 from neutral: under the limit of 20, over that of 25
        say(0, 34, 40)
        assert clinic.ask(f"/sessions/{number}/next", "POST", {})[0] == 200
        say(0, 0, 40)
        assert clinic.ask(f"/sessions/{number}/pause", "POST", {})[0] == 200
        say(35, 0, 40)
        assert clinic.ask(f"/sessions/{number}/resume", "POST", {})[0] == 200
        say(0, 0, 30)
        wait_for("everything has ended but the dose", lambda: [
            a["rule"] for a in clinic.ask("/alarms")[1]["alarms"] if a["presence"] == "on"
        ] == ["dosed"])
        clinic.stop_hub()
        live = {}
        for name, payload, _ in clinic.mqtt.received:
            if name.startswith("lumbar/v1/alarm/room-1/") and b'"since"' in payload:
                alarm = json.loads(payload)
                live.setdefault(alarm["rule"], []).append((alarm["presence"], alarm["text"]))
        assert sorted(live) == ["bent", "dosed", "far", "hot", "resting"], live
        assert live["hot"][0] == ("on", "42 °C in heat, limit 41 °C."), live
        assert live["resting"][0] == ("on", "40 °C in rest."), live
        assert live["far"][0] == ("on", "26°, limit 25°."), live
        ended = clinic.ctl("recording", "replay",
                           str(next(clinic.recordings.glob("room-1_*.rec*"))))
        assert ended.returncode == 0, ended
        replayed = {}
        for line in re.findall(r"^\S+  (raised|ended )  \w+  \S+  (\S+)  (.*)$", ended.stdout,
                               re.MULTILINE):
            deed, rule, text = line
            replayed.setdefault(rule, []).append(("on" if deed == "raised" else "off", text))
        assert {r: a[0] for r, a in live.items()} == {r: a[0] for r, a in replayed.items()}, \
            (replayed, live)
        tried = clinic.folder / "tried.yaml"  # the same, but in the other phase, and warmer
        tried.write_text(SESSION_RULES.replace("armed: [rest]", "armed: [heat]"))
        ended = clinic.ctl("rules", "try", str(tried), "--session", str(number))
        assert ended.returncode == 0, ended
        assert re.search(r"^=  \S+  raised  medium  massage/m-01  hot  42 °C in heat", ended.stdout,
                         re.MULTILINE), ended.stdout
        assert len(re.findall(r"^-  .* resting  40 °C in rest\.$", ended.stdout, re.MULTILINE)) == 4
        assert len(re.findall(r"^\+  .* resting  \S+ °C in heat\.$", ended.stdout,
                              re.MULTILINE)) == 2, ended.stdout
        assert "alarms raised: 4 by both, 2 by the present rules only, 1 by RULES only" in \
            ended.stdout, ended.stdout
        assert clinic.ctl("rules", "try", str(tried), "--session", "99").returncode == 1
        assert {r: len(a) for r, a in live.items() if r != "bent"} == \
            {r: len(a) for r, a in replayed.items() if r != "bent"}, (replayed, live)


def a_replay_raises_and_ends_what_the_hub_raised_and_ended(build):
    with Recorded(build) as clinic:
        clinic.start_hub()
        device, topic = clinic.device("posture", "p-01"), "lumbar/v1/alarm/room-1/"
        for angle in [5.0] * 5 + [30.0] * 10 + [5.0] * 8 + [30.0] * 10 + [3.0] * 6:
            device.send(held_from=1, trunk_inclination=[angle] * 5)
            time.sleep(0.1)
        wait_for("silence is an alarm", lambda: clinic.raised(topic + "quiet"))
        time.sleep(0.6)  # of a silence of just 4 s, not both would have a tick
        device.send(held_from=1, trunk_inclination=[3.0] * 5)
        wait_for("and ends", lambda: clinic.raised(topic + "quiet")[-1]["presence"] == "off")
        clinic.wait_idle(device)
        clinic.stop_hub()
        heard = [(name, json.loads(payload)) for name, payload, _ in clinic.mqtt.received
                 if name.startswith(topic) and b'"since"' in payload]  # else it never was
        live = [(alarm["since"], "raised" if alarm["presence"] == "on" else "ended ",
                 alarm["device"], alarm["rule"]) for _, alarm in heard]
        printed = clinic.replay(clinic.tapes()[0])
        replayed = alarms_of(printed)
        assert [a[1:] for a in replayed] == [a[1:] for a in live], (replayed, live)
        assert [a[3] for a in live].count("bent") == 4, live
        for ours, theirs in zip(replayed, live):  # delays end with a tick, which is each 250 ms
            apart = [datetime.fromisoformat(a[0].replace("Z", "+00:00")) for a in (ours, theirs)]
            assert abs((apart[0] - apart[1]).total_seconds()) <= 0.26, (ours, theirs)
        count = len(live) // 2
        assert f"{count} alarms raised, {count} ended, 0 stand" in printed, printed
        assert "Trunk at 30°." in printed, printed

        other = clinic.folder / "other.d"  # rules that are tried on what was recorded
        other.mkdir()
        (other / "a.yaml").write_text(RULES.replace("above: 20", "above: 40"))
        ended = clinic.recording("replay", "--rules", other, clinic.tapes()[0])
        assert ended.returncode == 0 and not any(a[3] == "bent" for a in alarms_of(ended.stdout))


def a_recording_goes_with_a_bug_report(build):
    with Recorded(build) as clinic:
        clinic.start_hub()
        device = clinic.device("posture", "p-01")
        for _ in range(20):
            device.send(held_from=1, trunk_inclination=[1.0] * 5)
        clinic.mqtt.publish(device.topic, b"\xff" * 20)  # as it came: also what cannot be decoded
        clinic.wait_idle(device)
        clinic.stop_hub()
        out = clinic.folder / "report.rec"
        name = clinic.tapes()[0].name
        listed = clinic.recording("ls")
        assert listed.returncode == 0 and f"{name}  room-1  " in listed.stdout, listed
        assert " 21 messages, " in listed.stdout and listed.stdout.endswith(", open\n"), listed
        ended = clinic.recording("export", name, out)
        assert ended.returncode == 0 and "21 messages in" in ended.stdout, ended
        assert out.stat().st_mode & 0o777 == 0o600, "it is a client's"
        ended = clinic.recording("verify", out)
        assert ended.returncode == 0 and f"{out}: good (21 messages" in ended.stdout, ended
        assert counts_of(clinic.replay(out)) == [21, 20, 0, 1, 100]
        assert "refused  lumbar/v1/posture/p-01/telemetry: " in clinic.replay(out)
        assert clinic.recording("export", name, out).returncode == 1, "it was there"

        bytes_ = bytearray(out.read_bytes())
        bytes_[400] ^= 1
        out.write_bytes(bytes_)
        ended = clinic.recording("verify", out)
        assert ended.returncode == 1 and "not good: damaged at byte 256: " in ended.stdout, ended
        assert clinic.recording("replay", out).returncode == 1


def other_rules_are_tried_beside_the_present_ones(build):
    with Recorded(build) as clinic:
        clinic.start_hub()
        device = clinic.device("posture", "p-01")
        for angle in [5.0] * 3 + [30.0] * 8 + [5.0] * 5 + [45.0] * 8 + [5.0] * 5:
            device.send(held_from=1, trunk_inclination=[angle] * 5)
            time.sleep(0.1)
        clinic.wait_idle(device)
        clinic.stop_hub()
        tape, other = clinic.tapes()[0], clinic.folder / "other.yaml"

        def tried(*arguments):
            ended = clinic.ctl("rules", "try", str(other), *map(str, arguments))
            assert ended.returncode == 0, ended
            speed = int(re.search(r"(\d+) x real time$", ended.stdout.strip())[1])
            assert speed > 0, ended.stdout  # it is said; bench-recording measures
            return re.findall(r"^([-+=])  \S+  (raised|ended )  \w+ +\S+  (\S+)  ", ended.stdout,
                              re.MULTILINE)
        other.write_text(RULES)
        assert tried("--recording", tape) == [("=", "raised", "bent"), ("=", "ended ", "bent")] * 2
        assert tried("--recording", tape, "--changes") == []
        other.write_text(RULES.replace("above: 20", "above: 40") +
                         "  - {name: more, metric: trunk_inclination, above: 25 deg, priority: low,"
                         " text: More}\n")
        expected = [("+", "raised", "more"), ("-", "raised", "bent"), ("+", "ended ", "more"),
                    ("-", "ended ", "bent"), ("+", "raised", "more"), ("=", "raised", "bent"),
                    ("+", "ended ", "more"), ("=", "ended ", "bent")]
        assert tried("--recording", tape) == expected, tried("--recording", tape)
        assert tried("--all") == expected
        other.write_text(RULES.replace("20 deg", "20 Cel"))
        for arguments, code, words in [
                ([other, "--recording", tape], 1, "other.yaml:3:65: trunk_inclination is measured"),
                ([other], 2, "usage"), (["--all"], 2, "usage"),
                ([other, "--all", "--session", 1], 2, "usage"),
                ([other, "--session", "x"], 2, "usage"), (["--help"], 0, "=  both"),
                ([clinic.folder / "no.yaml", "--all"], 1, "no.yaml: No such file")]:
            ended = clinic.ctl("rules", "try", *map(str, arguments))
            assert ended.returncode == code and words in ended.stdout + ended.stderr, ended


def a_recording_is_published_as_it_was_heard(build):
    with Recorded(build) as clinic:
        clinic.start_hub()
        topic = "lumbar/v1/posture/p-01/telemetry"
        before = Mqtt(clinic.broker_port, "before", [topic])
        time.sleep(0.2)  # subscribed
        device = clinic.device("posture", "p-01")
        for number in range(40):
            device.send(held_from=1, trunk_inclination=[float(number)] * 5)
            time.sleep(0.05)
        clinic.wait_idle(device)
        clinic.stop_hub()
        before.close()
        after = Mqtt(clinic.broker_port, "after", [topic])
        time.sleep(0.2)
        for speed, least in ((10, 0.15), (0, 0)):
            began, count = time.monotonic(), len(after.received)
            ended = clinic.recording("replay", "--mqtt", f"127.0.0.1:{clinic.broker_port}",
                                     "--speed", speed, clinic.tapes()[0])
            took = time.monotonic() - began
            assert ended.returncode == 0 and "40 messages were published" in ended.stdout, ended
            assert least <= took, took
            wait_for("all of them", lambda: len(after.received) == count + 40)
            assert after.received[count:] == before.received, "other bytes, or another order"
        after.close()
        clinic.stop_broker()
        ended = clinic.recording("replay", "--mqtt", f"127.0.0.1:{clinic.broker_port}",
                                 clinic.tapes()[0])
        assert ended.returncode == 1 and "no broker takes a connection" in ended.stderr, ended


def blocks_of(tape):
    """Where its blocks lie, and its index: [(offset, end), ...]."""
    at, found = 256, []
    while tape[at:at + 4] == b"LBLK":
        found.append((at, at + 80 + struct.unpack_from("<I", tape, at + 12)[0]))
        at = found[-1][1]
    return found


def verify_says_what_is_wrong_and_where(build):
    with Recorded(build) as clinic:
        for _ in range(4):  # each run writes a block when it stops
            clinic.start_hub()
            device = clinic.device("posture", "p-01")
            device.send(held_from=1, trunk_inclination=[1.0] * 5)
            clinic.wait_idle(device)
            clinic.stop_hub()
        out = clinic.folder / "report.rec"
        assert clinic.recording("export", clinic.tapes()[0], out).returncode == 0
        whole = out.read_bytes()
        (_, a), (b, c), (d, _), (_, end), _ = blocks_of(whole)
        assert (a, c) == (b, d), "four blocks, and the index"

        def flip(at):
            return whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:]

        cases = [
            (whole, "good (4 messages in 4 blocks)"),
            (whole[:100], "it is no recording"),
            (flip(30), "its header is damaged"),
            (flip(8), "it is of format 5, and only 1 is known here"),
            (flip(b + 20), f"damaged at byte {b}: a block's head is damaged; {c - b} bytes are"),
            (flip(c - 1), f"damaged at byte {b}: a block's checksum is wrong; {c - b} bytes are"),
            (whole[:b] + whole[d:], f"block 2 at byte {b}: blocks 1 to 1 are not there"),
            (whole[:c] + whole[b:], f"damaged at byte {c}: a block stands here for the second"),
            (whole[:c - 9], f"torn at byte {b}: a block is cut short"),
            (whole[:b + 9], f"torn at byte {b}: a block's head is cut short"),
            (whole[:end], "it has no index: cut short behind block 4"),
            (whole[:-1], f"torn at byte {end}: the index has no end"),
            (flip(end + 90), f"torn at byte {end}: a block's checksum is wrong"),
            (whole + b"more", f"torn at byte {end}: the index has no end"),
        ]
        for tape, sentence in cases:
            out.write_bytes(tape)
            ended = clinic.recording("verify", out)
            said = ended.stdout + ended.stderr
            assert said.count("\n") == 1 and sentence in said, (sentence, ended)
            assert ended.returncode == (0 if tape == whole else 1), (sentence, ended)


def what_is_wrong_is_one_sentence(build):
    cases = [(["ls", "more"], 2, "usage"), (["verify", "nowhere.rec"], 1, "nowhere.rec: No such"),
             (["replay"], 2, "usage"), (["export", "x"], 2, "usage"),
             (["replay", "/etc/passwd"], 1, "/etc/passwd: it is no recording"),
             (["ls", "--folder", "/nowhere"], 1, "/nowhere: No such"),
             (["verify", "--wrong"], 2, "usage")]
    with Recorded(build) as clinic:
        for arguments, code, words in cases:
            ended = clinic.recording(*arguments)
            assert ended.returncode == code and words in ended.stderr, (arguments, ended)
        lumbarctl = f"{build}/daemon/lumbarctl"
        for arguments, code, words in [(["recording", "reply"], 2, "did you mean 'replay'?"),
                                       (["--help"], 0, ""), ([], 2, "usage")]:
            ended = subprocess.run([lumbarctl, *arguments], capture_output=True, text=True,
                                   timeout=10)
            assert ended.returncode == code and words in ended.stderr, (arguments, ended)
        for command in ("ls", "export", "verify", "replay"):
            ended = clinic.recording(command, "--help")
            assert ended.returncode == 0 and f"recording {command} " in ended.stdout, ended


def a_torn_tail_costs_the_tail_only_and_is_taken_again(build):
    with Recorded(build) as clinic:
        clinic.start_hub()
        device = clinic.device("posture", "p-01")
        for _ in range(3):  # the first is a block of its own after a second
            device.send(held_from=1, trunk_inclination=[1.0] * 5)
            clinic.wait_idle(device)
            time.sleep(1.5)
        for _ in range(30):
            device.send(held_from=1, trunk_inclination=[2.0] * 5)
        clinic.wait_idle(device)
        clinic.stop_hub()
        tape = clinic.tapes()[0]
        size = tape.stat().st_size
        os.truncate(tape, size - 30)
        ended = clinic.recording("verify")
        assert ended.returncode == 1, ended
        lost = int(re.search(r"torn at byte (\d+): a block is cut short", ended.stdout)[1])
        assert size - 2000 < lost < size, ended
        clinic.start_hub()
        assert clinic.said("were torn, and cut off"), clinic.log_path.read_text()
        device.send(held_from=1, trunk_inclination=[3.0] * 5)
        clinic.wait_idle(device)
        clinic.stop_hub()
        assert clinic.recording("verify").returncode == 0
        messages, used, repeated, *_ = counts_of(clinic.replay(tape))
        assert messages == used == device.sequence and repeated == 0, (messages, device.sequence)


def a_power_cut_costs_nothing_that_a_device_still_holds(build):
    """The spool's copy is behind, the tape's first block soon: it must not be ahead of the copy."""
    with Recorded(build) as clinic:
        path = clinic.write_config()
        path.write_text(path.read_text().replace("spool:\n", "spool:\n  sync: 2 s\n"))
        device = clinic.device("posture", "p-01")
        for cut in range(3):
            clinic.start_hub()
            for sequence in range(clinic.acked(device) + 1, device.sequence + 1):
                clinic.mqtt.publish(device.topic, device.message(
                    sequence=sequence, held_from=1, trunk_inclination=[1.0] * 5))
            for _ in range(30 + 7 * cut):
                device.send(held_from=1, trunk_inclination=[1.0] * 5)
                time.sleep(0.05)
            clinic.kill()
            clinic.ring.unlink()
        clinic.start_hub()
        for sequence in range(clinic.acked(device) + 1, device.sequence + 1):
            clinic.mqtt.publish(device.topic, device.message(
                sequence=sequence, held_from=1, trunk_inclination=[1.0] * 5))
        clinic.wait_idle(device)
        clinic.stop_hub()
        assert clinic.recording("verify").returncode == 0
        messages, used, repeated, refused, _ = counts_of(clinic.replay(clinic.tapes()[0]))
        assert messages == used == device.sequence, (messages, used, device.sequence)
        assert repeated == refused == 0, (repeated, refused)


def a_full_disk_stops_the_recording_and_nothing_else(build):
    extra = "devices:\n  rate: 5000\n"
    with Recorded(build, extra=extra) as clinic:
        disk = clinic.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            raise Skipped(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
        try:
            path = clinic.write_config(recordings=disk / "tapes")
            path.write_text(path.read_text().replace(
                "spool:\n", "spool:\n  size: 256 KiB\n  patience: 1 s\n"))
            clinic.start_hub()
            device, browser = clinic.device("massage", "m-01"), clinic.browser(room=1)

            def flood(count):  # noise does not compress: each is some 1,500 bytes on the disk
                for _ in range(count):
                    noise = [random.uniform(20, 50) for _ in range(700)]
                    device.send(held_from=1, skin_temperature=noise)

            flood(1500)  # some 2 MB: many times the disk, the blocks and the spool
            dropped = device.sequence
            device.send(held_from=1, massage_pressure=[42.0])
            browser.until(lambda f: 42 in [round(v) for v in browser.values(f, "massage_pressure")
                                           if v is not None], "live goes on", 30)
            line = wait_for("a line in the log", lambda: clinic.said("recorder: cannot write to"))
            assert "No space left" in line, line
            subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
            wait_for("a line in the log", lambda: clinic.said("can be written again"))
            # What is on no tape is not acknowledged, until its device holds it no more.
            flood(20)
            assert clinic.acked(device) < dropped
            device.send(held_from=device.sequence + 1, massage_pressure=[43.0])
            clinic.wait_idle(device)
            clinic.stop_hub()
            ended = clinic.recording("verify")
            assert ended.returncode == 0, ended
            printed = clinic.replay(clinic.tapes()[0])
            messages, used, repeated, refused, _ = counts_of(printed)
            lost = int(re.search(r"(\d+) messages at least were not recorded", printed)[1])
            assert lost > 0 and "  gap  up to " in printed, printed
            assert messages + lost == device.sequence, (messages, lost, device.sequence)
            assert repeated == refused == 0, printed
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


if __name__ == "__main__":
    run([a_clinic_is_recorded_whole_however_often_the_hub_is_killed,
         a_replay_raises_and_ends_what_the_hub_raised_and_ended,
         a_session_is_replayed_with_its_phases_limits_doses_and_zeros,
         other_rules_are_tried_beside_the_present_ones,
         a_recording_is_published_as_it_was_heard,
         a_recording_goes_with_a_bug_report, verify_says_what_is_wrong_and_where,
         what_is_wrong_is_one_sentence,
         a_torn_tail_costs_the_tail_only_and_is_taken_again,
         a_power_cut_costs_nothing_that_a_device_still_holds,
         a_full_disk_stops_the_recording_and_nothing_else])
