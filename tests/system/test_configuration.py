"""Configuration from outside: --check, --options, --plugins, and errors one can act on."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from clinic import Clinic, run, wait_for
from pager import Pager, certify

RULE = """
rules:
  - name: warm
    title: Skin warm
    metric: massage/skin_temperature
    above: 43 Cel
    priority: medium
    text: "Skin {value}."
"""
BURNING = RULE.replace("rules:\n", "").replace("warm", "burning").replace("43", "48").replace(
    "medium", "high")
PLAN = "name: tiny\ntitle: Tiny\nphases: [{kind: rest, time: 1 min}]\n"
IDLE, RUNNING = 1, 2  # of a massage device


def lumbard(build, clinic, *arguments):
    return subprocess.run([f"{build}/daemon/lumbard", "--config",
                           str(clinic.folder / "lumbard.yaml"), *arguments],
                          capture_output=True, text=True, timeout=30)


def a_good_one_is_said_to_be_good(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        ended = lumbard(build, clinic, "--check")
        assert ended.returncode == 0, ended
        assert "1 rooms, 3 plugins, 1 rules, 0 plans: good" in ended.stdout, ended.stdout
        assert not clinic.ring.exists(), "a check opened the spool"


def each_error_has_its_place_and_the_nearest_name(build):
    cases = [  # what is changed, and what the one line of complaint must say
        (dict(extra="brokr:\n  port: 1\n"), ["lumbard.yaml:", "brokr", "broker"]),
        (dict(extra="feed:\n  size: 4 MB\n"), ["lumbard.yaml:", "feed.size"]),
        (dict(extra="feed:\n  size: 1 B\n"), ["lumbard.yaml:", "feed.size"]),
        (dict(extra="clinic: again\n"), ["lumbard.yaml:", "clinic"]),
        (dict(extra="feed: [\n"), ["lumbard.yaml:"]),
        (dict(rooms={"a": ["posture/p-01"], "b": ["posture/p-01"]}), ["lumbard.yaml:", "p-01"]),
        (dict(rooms={"a": ["postur/p-01"]}), ["lumbard.yaml:27:15:", "did you mean 'posture'"]),
        (dict(rooms={"a": ["posture/p-01", "posture/p-02"]}, extra="devices:\n  max: 1\n"),
         ["lumbard.yaml:27:29:", "no place for 'posture/p-02'"]),
        (dict(rules=RULE.replace("skin_temp", "skim_temp")), ["test.yaml:5:", "skin_temperature"]),
        (dict(rules=RULE.replace("43 Cel", "43 C")), ["test.yaml:6:", "Cel"]),
        (dict(rules=RULE.replace("43 Cel", "99 Cel")), ["test.yaml:6:", "50"]),
        (dict(rules=RULE.replace("above", "abvoe")), ["test.yaml:6:", "above"]),
        (dict(rules=RULE.replace("{value}", "{valeu}")), ["test.yaml:8:", "value"]),
        (dict(rules=RULE.replace("medium", "urgent")), ["test.yaml:7:", "urgent"]),
    ]
    with Clinic(build, rules=RULE, start=False) as clinic:
        keep = dict(extra="", rules=RULE, rooms=dict(clinic.rooms))
        for change, words in cases:
            clinic.write_config(**{**keep, **change})
            ended = lumbard(build, clinic, "--check")
            assert ended.returncode == 1, (change, ended)
            errors = [line for line in ended.stderr.splitlines() if "error" in line]
            assert len(errors) == 1, (change, ended.stderr)
            for word in words:
                assert word in errors[0], (change, errors[0])


SECRET = "  username: hub\n  password_file: {folder}/secret\n"
TLS = "  tls: true\n  ca_file: {folder}/ca.pem\n"


def changed(clinic, old, new):
    """The clinic's configuration with something else in the place of `old`."""
    text = clinic.write_config().read_text()
    assert old in text, old
    (clinic.folder / "lumbard.yaml").write_text(
        text.replace(old, new.format(folder=clinic.folder), 1))


def a_file_or_place_that_a_start_would_fail_at_is_found_by_a_check(build):
    cases = [  # what is changed into what; line and column of the option, and words about it
        ("web:\n", SECRET + "web:\n", "5:18", "secret: No such file"),
        ("web:\n", TLS + "web:\n", "4:8", "ca.pem: No such file"),
        ("/spool\n", "/nowhere/spool\n", "10:9", "nowhere: No such file"),
        ("/quarantine\n", "/taken\n", "12:9", "taken is no file"),
        ("/recordings\n", "/recordings/in/it\n", "14:11", "recordings/in: No such file"),
        ("/recordings\n", "/lumbard.yaml\n", "14:11", "is no folder"),
        ("/history.db\n", "/nowhere/history.db\n", "17:9", "nowhere: No such file"),
        ("/ctl\n", "/lumbard.yaml\n", "7:11", "is no socket"),
        ("/ctl\n", "/ctl\n  group: nobody-knows-it\n", "8:10", "no group 'nobody-knows-it'"),
    ]
    with Clinic(build, start=False) as clinic:
        (clinic.folder / "taken").mkdir()
        for old, new, place, words in cases:
            changed(clinic, old, new)
            ended = lumbard(build, clinic, "--check")
            assert ended.returncode == 1, (new, ended)
            errors = [line for line in ended.stderr.splitlines() if "error" in line]
            assert len(errors) == 1 and f"lumbard.yaml:{place}: " in errors[0], (new, errors)
            assert words in errors[0], (new, errors[0])
        before = sorted(clinic.folder.rglob("*"))
        clinic.write_config()
        assert lumbard(build, clinic, "--check").returncode == 0
        assert sorted(clinic.folder.rglob("*")) == before, "a check made a file"


def every_metric_is_listed_with_unit_and_range(build):
    with Clinic(build, start=False) as clinic:
        listed = lumbard(build, clinic, "--plugins").stdout
        for words in ["skin_temperature           gauge    Cel      20 .. 50",
                      "trunk_inclination          gauge    deg      -30 .. 120",
                      "upright, slouched"]:
            assert words in listed, listed


def every_option_is_listed(build):
    with Clinic(build, start=False) as clinic:
        listed = lumbard(build, clinic, "--options").stdout
        for option in ["broker.host", "broker.client_id", "web.port", "spool.sync", "feed.size",
                       "devices.max", "rules.folder"]:
            assert option in listed, listed


def wrong_arguments_are_told(build):
    with Clinic(build, start=False) as clinic:
        for arguments in (["--chekc"], ["--check", "--plugins"], ["extra"]):
            ended = lumbard(build, clinic, *arguments)
            assert ended.returncode == 2 and "usage" in ended.stderr, ended
        ended = subprocess.run([f"{build}/daemon/lumbard", "--config", "/nowhere/x.yaml"],
                               capture_output=True, text=True, timeout=10)
        assert ended.returncode == 1 and "/nowhere/x.yaml" in ended.stderr, ended


def a_reload_with_one_mistake_changes_nothing_at_all(build):
    mistakes = [  # the second room's devices, what else is in the file, and words of the complaint
        (["postur/p-02"], "devices:\n  max: 3\n", "did you mean 'posture'"),
        (["posture/p-02", "posture/p-03"], "devices:\n  max: 3\n", "no place for 'posture/p-03'"),
        (["posture/p-02"], "devices:\n  max: 4\n", "devices.max cannot be changed"),
    ]
    with Clinic(build, rules=RULE, extra="devices:\n  max: 3\n") as clinic:
        before, known = hello(clinic), [d["name"] for d in clinic.ask("/devices")[1]["devices"]]
        for devices, extra, words in mistakes:
            clinic.write_config(rooms={"salon": ["massage/m-01"], "other": devices}, extra=extra,
                                rules=RULE.replace("warm", "hot"))
            clinic.log_from = clinic.log_path.stat().st_size
            clinic.hub.send_signal(signal.SIGHUP)
            said = wait_for("a refusal", lambda: clinic.said("nothing changed"))
            assert words in said and re.search(r"lumbard\.yaml:\d+:\d+: ", said), said
            after = hello(clinic)
            for part in ("rooms", "rules"):
                assert getattr(after, part) == getattr(before, part), (words, part)
            assert [d["name"] for d in clinic.ask("/devices")[1]["devices"]] == known, words


def hello(clinic):
    """What a page that comes now is told."""
    browser = clinic.browser()
    try:
        return browser.until(lambda f: f.HasField("hello"), "a hello").hello
    finally:
        browser.close()


def acks_take_ms(clinic):
    """How long a device waits until another message of it is acknowledged, or 8 s."""
    device = clinic.device("posture", "p-01")
    topic = f"lumbar/v1/posture/{device.name}/ack"
    for _ in range(2):  # the first of a boot is acknowledged at once
        count, began = len(clinic.received(topic)), time.monotonic()
        device.send(trunk_inclination=[1.0], held_from=1)
        while len(clinic.received(topic)) == count and time.monotonic() < began + 8:
            time.sleep(0.02)
    return (time.monotonic() - began) * 1000


def answer_to(clinic, host=None, origin=None):
    """The status of the page when it is asked for under this name, from a page of this origin."""
    host = host or f"127.0.0.1:{clinic.web_port}"
    more = f"Origin: {origin}\r\n" if origin else ""
    with socket.create_connection(("127.0.0.1", clinic.web_port), 5) as page:
        page.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        return page.recv(100).split(b" ")[1].decode()


def is_recorded(clinic):
    """Does a message make a recording, within the second of its first block and some more?"""
    clinic.device("posture", "p-01").send(trunk_inclination=[1.0])
    end = time.monotonic() + 3
    while time.monotonic() < end and not list(clinic.recordings.glob("*.part")):
        time.sleep(0.05)
    return bool(list(clinic.recordings.glob("*.part")))


OLD, LARGE = "a_20200101T000000.000Z.rec", "b_20200101T000000.000Z.rec"


def make_recordings(clinic):
    """One of ten days ago, one of two MiB."""
    clinic.recordings.mkdir(exist_ok=True)
    for name, size, age_s in ((OLD, 100, 10 * 86400), (LARGE, 2 << 20, 0)):
        (clinic.recordings / name).write_bytes(bytes(size))
        os.utime(clinic.recordings / name, (time.time() - age_s,) * 2)


def is_kept(clinic, name):
    """Is the recording there, and will it be after the time that its removal would take?"""
    end = time.monotonic() + 3
    while time.monotonic() < end and (clinic.recordings / name).exists():
        time.sleep(0.05)
    return (clinic.recordings / name).exists()


def plan_in(clinic, room):
    """The plan of the session that a device opens in this room by working for a moment."""
    (name,) = clinic.rooms[room]
    browser, device = clinic.browser(), clinic.device(*name.split("/"))
    device.send(state=RUNNING)
    number = list(clinic.rooms).index(room) + 1
    frame = browser.until(lambda f: any(s.room == number for s in f.sessions), "a session")
    browser.close()
    device.send(state=IDLE)
    return next(session.plan for session in frame.sessions if session.room == number)


def ends(clinic):
    """Is a session ended by idleness, which takes a second here?"""
    end = time.monotonic() + 3
    while time.monotonic() < end and not clinic.said("done in"):
        time.sleep(0.05)
    return bool(clinic.said("done in"))


def is_flooded(clinic):
    """Are two alarms a flood?"""
    for name in ("m-01", "m-02"):
        clinic.device("massage", name).send(skin_temperature=[45.0])
    wait_for("two alarms", lambda: clinic.ask("/alarms")[1]["standing"] == 2)
    end = time.monotonic() + 2
    while time.monotonic() < end and not clinic.said("alarm flood: 2 alarms"):
        time.sleep(0.05)
    return bool(clinic.said("alarm flood: 2 alarms"))


def burn(clinic):
    """A high alarm, which a webhook is told of, and its end."""
    for degrees, count in ((49.0, 1), (38.0, 0)):
        clinic.device("massage", "m-01").send(skin_temperature=[degrees])
        wait_for("it", lambda: sum(a["rule"] == "burning" for a in
                                   clinic.ask("/alarms")[1]["alarms"]) == count)


def is_tried(clinic):
    """Does the hub call anybody, who is not believed yet?"""
    burn(clinic)
    end = time.monotonic() + 2
    while time.monotonic() < end and not clinic.said("webhook: TLS"):
        time.sleep(0.05)
    return bool(clinic.said("webhook: TLS"))


def token_told(clinic):
    """Burns, and gives the token that came with it; None: nobody was told, "" it had none."""
    before = len(PAGER.told)
    burn(clinic)
    end = time.monotonic() + 20
    while time.monotonic() < end and len(PAGER.told) < before + 2 and is_believed(clinic):
        time.sleep(0.05)
    told = PAGER.told[before:]
    return told[-1][1].get("Authorization", "") if told else None


def is_believed(clinic):
    return "ca_file" in (clinic.folder / "lumbard.yaml").read_text()


def backups_left(clinic):
    """Of one that is made now, and three old ones that are large."""
    folder = clinic.folder / "backups"
    folder.mkdir(exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for day in (1, 2, 3):
        with open(folder / f"lumbar-2026010{day}T000000Z.backup", "wb") as old:
            old.truncate(1 << 20)
    assert clinic.ctl("backup", "now").returncode == 0
    return len(list(folder.iterdir()))


def may_be_amended(clinic):
    """May more be said of the session that has ended?"""
    sessions = wait_for("one in history", lambda: [
        s for s in clinic.ask("/archive")[1]["sessions"] if s["state"] == "done"])
    return clinic.ask(f"/sessions/{sessions[0]['id']}/record")[1]["open_until"] is not None


PAGER = None


def open_pager(clinic):
    global PAGER
    certify(clinic.folder)
    (clinic.folder / "token").write_text("sesame\n")
    os.chmod(clinic.folder / "token", 0o600)
    PAGER = Pager(clinic.folder)


# Each option that a reload may change: how it is changed in the file, what is looked at then, and
# what it must be before and after.
UNUSED = iter(["gym", "pool"])  # rooms in which no session was yet
RELOADABLE = {
    "alarms.flood": (("recorder:", "alarms:\n  flood: 1\nrecorder:"), is_flooded, False, True),
    "webhook.url": (("recorder:", "webhook:\n  url: https://127.0.0.1:{port}/\nrecorder:"),
                    is_tried, False, True),
    "webhook.ca_file": (("webhook:", "webhook:\n  ca_file: {folder}/ca.pem"),
                        token_told, None, ""),
    "webhook.token_file": (("webhook:", "webhook:\n  token_file: {folder}/token"),
                           token_told, "", "Bearer sesame"),
    "plans.folder": (("recorder:", "plans:\n  folder: more-plans\nrecorder:"),
                     lambda c: plan_in(c, next(UNUSED)), "Tiny", "Other"),
    "sessions.idle": (("  idle: 15 min", "  idle: 1 s"), ends, False, True),
    "sessions.amend_days": (("  idle: 1 s", "  idle: 1 s\n  amend_days: 0"),
                            may_be_amended, True, False),
    "clinic": (("clinic: Test clinic", "clinic: Another"),
               lambda c: hello(c).clinic, "Test clinic", "Another"),
    "web.host": (("  port: 0", "  port: 0\n  host: hub.example"),
                 lambda c: answer_to(c, "hub.example"), "421", "200"),
    "web.origin": (("  port: 0", "  port: 0\n  origin: https://portal.example"),
                   lambda c: answer_to(c, origin="https://portal.example"), "403", "200"),
    "recorder.always": (("always: false", "always: true"), is_recorded, False, True),
    "recorder.days": (("recorder:", "recorder:\n  days: 3"),
                      lambda c: is_kept(c, OLD), True, False),
    "recorder.size": (("recorder:", "recorder:\n  size: 1 MiB"),
                      lambda c: is_kept(c, LARGE), True, False),
    "backup.every": (("recorder:", "backup:\n  every: 1 h\nrecorder:"),
                     lambda c: c.ask("/backups")[1]["every_s"], 86400, 3600),
    "backup.keep": (("backup:", "backup:\n  keep: 2"), backups_left, 4, 2),
    "backup.size": (("backup:", "backup:\n  size: 1 MiB"), backups_left, 2, 1),
    "devices.ack": (("ack: 60 s", "ack: 100 ms"),
                    lambda c: acks_take_ms(c) < 6000, False, True),
    "rules.folder": (("folder: rules.d", "folder: more.d"),
                     lambda c: [r.name for r in hello(c).rules][0], "warm", "hot"),
    "rules.changes": (("changes: page.yaml", "changes: hotter.yaml"),
                      lambda c: c.ask("/rules")[1]["rules"][0]["title"],
                      "Skin hot", "Hotter"),
    "rooms": (("- name: room-1", "- name: salon"),
              lambda c: [r.name for r in hello(c).rooms][0], "room-1", "salon"),
}


def every_option_called_reloadable_is_taken_by_a_reload(build):
    rooms = {"room-1": ["posture/p-01", "massage/m-01"], "gym": ["massage/m-02"],
             "pool": ["massage/m-03"]}
    with Clinic(build, rules=RULE + BURNING, rooms=rooms, plans={"tiny": PLAN},
                automatic={"gym": "tiny", "pool": "tiny"},
                extra="devices:\n  ack: 60 s\nsessions:\n  idle: 15 min\n") as clinic:
        listed = re.findall(r"^(\S+)\n((?:    .*\n)+)", lumbard(build, clinic, "--options").stdout,
                            re.MULTILINE)
        named = [option for option, words in listed if "a reload may change it" in words]
        assert sorted(named) == sorted(RELOADABLE), named
        shutil.copytree(clinic.folder / "rules.d", clinic.folder / "more.d")
        (clinic.folder / "more.d/test.yaml").write_text(RULE.replace("warm", "hot") + BURNING)
        (clinic.folder / "hotter.yaml").write_text("rules:\n- {name: hot, title: Hotter}\n")
        shutil.copytree(clinic.folder / "plans.d", clinic.folder / "more-plans")
        (clinic.folder / "more-plans/tiny.yaml").write_text(PLAN.replace("Tiny", "Other"))
        make_recordings(clinic)
        open_pager(clinic)
        config = clinic.folder / "lumbard.yaml"
        for option, ((old, new), look, before, after) in RELOADABLE.items():
            assert look(clinic) == before, (option, look(clinic))
            assert old in config.read_text(), option
            new = new.format(folder=clinic.folder, port=PAGER.port) if "{" in new else new
            config.write_text(config.read_text().replace(old, new))
            clinic.log_from = clinic.log_path.stat().st_size
            clinic.hub.send_signal(signal.SIGHUP)
            wait_for(f"a reload with another {option}", lambda: clinic.said("reloaded:"))
            assert look(clinic) == after, (option, look(clinic))
        PAGER.close()


if __name__ == "__main__":
    run([a_good_one_is_said_to_be_good, each_error_has_its_place_and_the_nearest_name,
         a_file_or_place_that_a_start_would_fail_at_is_found_by_a_check,
         every_metric_is_listed_with_unit_and_range, every_option_is_listed,
         wrong_arguments_are_told,
         a_reload_with_one_mistake_changes_nothing_at_all,
         every_option_called_reloadable_is_taken_by_a_reload])
