"""lumbarctl for people and programs: watch, top, diagnose, completion, and --json everywhere."""
import concurrent.futures
import json
import os
import pty
import select
import subprocess
import tarfile
import time

from clinic import TOP, Clinic, run, wait_for

RULE = """
rules:
  - name: warm
    title: Skin warm
    metric: massage/skin_temperature
    above: 43 Cel
    priority: medium
    text: "Skin {value}."
"""


def watch(clinic, *arguments):
    """A watching command; its lines come by next()."""
    command = subprocess.Popen(
        [clinic.build / "daemon/lumbarctl", "watch", "--config", f"{clinic.folder}/lumbard.yaml",
         *arguments], stdout=subprocess.PIPE, text=True)
    return command, (json.loads(line) for line in command.stdout)


def until(frames, condition):
    return next(frame for frame in frames if condition(frame))


def frames_come_as_lines_with_names_and_units(build):
    with Clinic(build, rules=RULE) as clinic:
        wall, frames = watch(clinic)
        assert next(frames)["hello"]["clinic"] == "Test clinic"
        room, samples = watch(clinic, "--room", "room-1")
        until(samples, lambda f: "health" in f)
        device = clinic.device("massage", "m-01")
        device.send(skin_temperature=[43.5, 43.75, None])
        alarm = until(frames, lambda f: "alarms" in f)["alarms"][0]
        assert (alarm["device"], alarm["rule"], alarm["presence"]) == ("massage/m-01", "warm", "ON")
        device.send(skin_temperature=[42.0])
        latest = until(frames, lambda f: any("skin_temperature" in v["values"]
                                             for v in f.get("latest", [])))
        value = latest["latest"][0]["values"]["skin_temperature"]
        assert value["value"] in (43.75, 42.0) or value["value"] is None, value
        points = until(samples, lambda f: "points" in f)["points"][0]
        assert points["device"] == "massage/m-01", points
        assert points["values"]["skin_temperature"][:3] == [43.5, 43.75, None], points
        assert len(points["at_ms"]) == len(points["values"]["skin_temperature"])
        assert abs(points["at_ms"][0] / 1000 - time.time()) < 20, points
        wall.terminate()
        clinic.stop_hub()
        assert room.wait(10) == 3, "the hub has gone, and it does not say so"
        wall.wait(10)


def it_ends_after_so_many_and_knows_no_other_room(build):
    with Clinic(build) as clinic:
        said = clinic.ctl("watch", "--frames", "2")
        assert said.returncode == 0 and len(said.stdout.splitlines()) == 2, said
        said = clinic.ctl("watch", "--room", "cellar")
        assert said.returncode == 1 and "no room cellar" in said.stderr, said


def a_table_of_the_clinic_is_written_once_and_live(build):
    with Clinic(build, rules=RULE) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[44.0])
        wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])
        once = clinic.ctl("top")
        for words in ("Test clinic: up", "!!  ", "Skin 44", "Room-1: free", "massage/m-01",
                      "skin_temperature 44.0 Cel"):
            assert words in once.stdout, (words, once)
        assert set(json.loads(clinic.ctl("top", "--json").stdout)) == {
            "status", "rooms", "devices", "alarms", "sessions"}
        leader, terminal = pty.openpty()
        live = subprocess.Popen(
            [build + "/daemon/lumbarctl", "top", "--every", "0.2", "--config",
             f"{clinic.folder}/lumbard.yaml"], stdin=terminal, stdout=terminal, stderr=terminal)
        text, end = b"", time.monotonic() + 10
        while text.count(b"Test clinic") < 3 and time.monotonic() < end:
            if select.select([leader], [], [], 0.1)[0]:
                text += os.read(leader, 65536)
        assert text.count(b"Test clinic") >= 3, text
        os.write(leader, b"q")
        assert live.wait(10) == 0
        os.close(leader)
        os.close(terminal)


def a_bundle_has_nothing_of_a_client(build):
    with Clinic(build, rules=RULE) as clinic:
        assert clinic.ask("/clients", "POST", {"name": "Zebra-9"})[0] == 201
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "QX",
                                                  "client": "Zebra-9"})[1]["id"]
        assert clinic.ask(f"/sessions/{number}/start", "POST", {})[0] == 200
        clinic.ask(f"/sessions/{number}/note", "POST", {"text": "Sore since Tuesday."})
        clinic.device("massage", "m-01").send(skin_temperature=[44.125])
        wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])
        bundle = clinic.folder / "bundle.tar"
        said = clinic.ctl("diagnose", "--out", str(bundle))
        assert said.returncode == 0, said
        assert bundle.stat().st_mode & 0o077 == 0, "others may read it"
        with tarfile.open(bundle) as tar:
            parts = {member.name: tar.extractfile(member).read().decode(errors="replace")
                     for member in tar.getmembers()}
        for name in ("version.txt", "status.json", "health.json", "rooms.json", "devices.json",
                     "lumbard.yaml", "rules/test.yaml", "check.txt", "os-release", "errors.txt"):
            assert name in parts, (name, sorted(parts))
        assert json.loads(parts["status.json"])["alarms"] == 1
        assert json.loads(parts["devices.json"])["devices"][0]["messages"] >= 0
        assert ": good" in parts["check.txt"], parts["check.txt"]
        for name, text in parts.items():
            for secret in ("Zebra", "QX", "44.1", "Tuesday"):
                assert secret not in text, (secret, name)
        assert clinic.ctl("diagnose", "--out", str(bundle)).returncode == 1, "it was overwritten"
        piped = subprocess.run(f"{build}/daemon/lumbarctl diagnose --out - --config {clinic.folder}/lumbard.yaml"
                               " | tar -t", shell=True, capture_output=True, text=True, timeout=60)
        assert set(parts) <= set(piped.stdout.split()) and " parts" in piped.stderr, piped
        assert clinic.ctl("diagnose", "--out", "-", "--json").returncode == 2


def words(build, *arguments):
    return subprocess.run([f"{build}/daemon/lumbarctl", *arguments], capture_output=True, text=True,
                          timeout=10)


def all_commands(build):
    """Each with what stands before its arguments: ["alarms", "ack"]."""
    for name in words(build, "--list").stdout.split():
        if name.startswith("-"):
            continue
        inner = words(build, name, "--list")
        if inner.returncode == 0:
            yield from ([name, word] for word in inner.stdout.split())
        else:
            yield [name]


def the_shell_completes_what_the_program_lists(build):
    def complete(*typed):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lumbarctl; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        said = subprocess.run(["bash", "-c", script, TOP / "daemon/ctl/lumbarctl.bash", *typed],
                              capture_output=True, text=True, timeout=20, cwd="/proc/self/task",
                              env={**os.environ, "PATH": f"{build}/daemon:{os.environ['PATH']}"})
        return said.stdout.split()
    listed = words(build, "--list").stdout.split()
    assert set(complete("lumbarctl", "")) == set(listed)
    assert complete("lumbarctl", "ala") == ["alarms"]
    assert set(complete("lumbarctl", "alarms", "un")) == {"unack", "unshelve"}
    assert complete("lumbarctl", "status", "--js") == ["--json"]
    assert "--room" in complete("lumbarctl", "alarms", "list", "--")


def every_command_explains_itself_and_speaks_json(build):
    for command in all_commands(build):
        helped = words(build, *command, "--help")
        assert helped.returncode == 0 and helped.stdout.startswith("usage: lumbarctl"), command
        assert "--json" in helped.stdout, f"{command} has no --json"


def what_works_on_files_speaks_json_too(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        clinic.write_config(recorded=True)
        clinic.start_hub()
        clinic.device("massage", "m-01").send(skin_temperature=[44.0] * 5)
        wait_for("a recording", lambda: list(clinic.recordings.glob("*.part")))
        clinic.stop_hub()
        place, folder = ["--folder", str(clinic.recordings)], clinic.folder

        def lines(*command, config=True):
            said = clinic.ctl(*command, "--json", config=config)
            assert said.returncode == 0 and said.stdout, (command, said)
            return [json.loads(line) for line in said.stdout.splitlines()]
        (listed,) = lines("recording", "ls", *place)
        assert (listed["room"], listed["messages"]) == ("room-1", 1), listed
        (good,) = lines("recording", "verify", *place)
        assert good["good"] and good["file"] == listed["file"], good
        (copied,) = lines("recording", "export", *place, listed["file"], f"{folder}/copy.rec")
        assert copied["messages"] == 1, copied
        replayed = lines("recording", "replay", *place, listed["file"])
        assert [line["what"] for line in replayed][:1] == ["alarm"], replayed
        assert replayed[-1]["what"] == "end" and replayed[-1]["raised"] == 1, replayed
        tried = lines("rules", "try", f"{folder}/rules.d", *place, "--all")
        assert tried[0]["by"] == "both" and tried[-1]["both"] == 1, tried
        tested = lines("rules", "test", "--plugins", f"{build}/plugins",
                       str(TOP / "config/rules.d/tests/posture.yaml"), config=False)
        assert tested[-1]["failed"] == 0 and len(tested) > 5, tested[-1]


# Asked for JSON where there is what they want: a certificate, accounts, somebody who bends.
ELSEWHERE = {"fingerprint",  # test_web_tls
             "rules test",  # below
             "alarms reset",  # test_alarms: of what is latched
             "calibration neutral", "calibration forget", "calibration range",  # test_calibration
             "device init", "device add", "device rotate", "device revoke", "device list"}


class Asker:
    """Asks for JSON, and remembers which commands gave it."""

    def __init__(self, build, clinic):
        self.known = [" ".join(command) for command in all_commands(build)]
        self.clinic, self.asked = clinic, set()

    def __call__(self, *commands):
        for words in commands:
            self.asked |= {name for name in self.known if f"{words} ".startswith(f"{name} ")}
            said = self.clinic.ctl(*words.split(), "--json")
            assert said.returncode == 0 and said.stdout, (words, said)
            try:
                last = json.loads(said.stdout)
            except json.JSONDecodeError:
                last = [json.loads(line) for line in said.stdout.splitlines()]
        return last


def every_command_gives_json_to_a_program(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        folder, ask = clinic.folder, Asker(build, clinic)
        config = clinic.write_config(recorded=True)
        (folder / "state").mkdir()
        clinic.start_hub(STATE_DIRECTORY=f"{folder}/state")
        clinic.ask("/clients", "POST", {"name": "QX"})
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "client": "QX",
                                                  "therapist": "AB"})[1]["id"]
        clinic.ask(f"/sessions/{number}/start", "POST", {})
        clinic.device("massage", "m-01").send(skin_temperature=[44.0] * 5)
        wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])

        def alarms():
            ask("alarms ack 1", "alarms unack 1", "alarms shelve 1 --for 5min --why x",
                "alarms unshelve 1", "alarms list", "alarms history", "alarms load")

        def rooms():
            ask("alarms silence room-1 --for 1min", "alarms pause room-1 --for 1min",
                "alarms resume room-1", "history massage/m-01 skin_temperature")

        def people():
            ask("users add anna --role lead", "users list", "users set anna --role therapist",
                "users disable anna", "users enable anna", "users reset anna", "users logout anna")
            token = ask("tokens add wall --role display", "tokens list", "tokens add two --role display")
            ask(f"tokens revoke {token['id']}")

        def others():
            ask("status", "top", "watch --frames 1", "rooms", "devices", "plugins list",
                "plugins enable posture", "calibration show posture/p-01", "place posture/p-01",
                "identify massage/m-01",
                f"diagnose --out {folder}/bundle.tar", "audit list", "audit export", "audit verify")
            backup = ask("backup now", "backup ls")[0]["name"]
            ask(f"backup verify {backup}")

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for chain in [pool.submit(each) for each in (alarms, rooms, people, others)]:
                chain.result()
        clinic.ask(f"/sessions/{number}/end", "POST", {})
        ask("session list", f"session fhir {number}", f"session report {number} --out {folder}/page",
            f"session csv {number} --out {folder}/table",
            f"session csv {number} --samples --out {folder}/samples",
            f"session amend {number} note x", "client list", "client course QX",
            "client export QX", f"client export QX --out {folder}/all")
        assert clinic.ctl("session", "csv", str(number), "--json").returncode == 2
        state = f"--state {folder}/state"
        (folder / "new.yaml").write_text(config.read_text().replace("Test clinic", "Another"))
        ask("config check", f"config apply {folder}/new.yaml {state}", f"config diff {state}",
            f"config rollback --list {state}", f"config rollback {state}")
        tape = next(path for path in clinic.recordings.iterdir()).name
        ask("recording ls", "recording verify", f"recording replay {tape}",
            f"recording export {tape} {folder}/copy.rec", f"rules try {folder}/rules.d --all")
        ask("client erase QX --yes")
        clinic.stop_hub()
        ask(f"backup restore {ask('backup ls')[0]['name']}")
        with Clinic(build, accounts=True) as ask.clinic:
            assert "http" in json.dumps(ask("setup"))
        missing = set(ask.known) - ask.asked - ELSEWHERE
        assert not missing, f"nobody asks them for JSON: {missing}"


if __name__ == "__main__":
    run([frames_come_as_lines_with_names_and_units, it_ends_after_so_many_and_knows_no_other_room,
         a_table_of_the_clinic_is_written_once_and_live, a_bundle_has_nothing_of_a_client,
         the_shell_completes_what_the_program_lists, every_command_explains_itself_and_speaks_json,
         every_command_gives_json_to_a_program, what_works_on_files_speaks_json_too])
