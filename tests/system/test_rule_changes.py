"""Rules changed at the page: read, applied as a whole or not at all, kept, and taken back."""
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from clinic import Clinic, run, wait_for
from visitor import invited, set_up

RULES = """
rules:
  - name: warm
    title: Skin warm
    metric: massage/skin_temperature
    above: 43 Cel
    for: 10 s
    priority: medium
    text: "Skin {value}."
  - {name: burning, metric: massage/skin_temperature, above: 48 Cel, priority: high, text: "{value}."}
"""
WARMER = "rules:\n  - name: warm\n    above: 45 Cel\n    for:\n  - {name: burning, off: true}\n"


def start(clinic, **more):
    (clinic.folder / "state").mkdir(exist_ok=True)  # systemd makes it
    clinic.start_hub(STATE_DIRECTORY=f"{clinic.folder}/state", **more)


def read(clinic):
    """The changes, and their tag."""
    status, said = clinic.ask("/rules/changes")
    assert status == 200, said
    return said, clinic.headers["ETag"]


def put(clinic, text, tag=None):
    return clinic.ask("/rules/changes", "PUT", {"text": text},
                      headers={"If-Match": tag or read(clinic)[1]})


def rules(clinic):
    """What is written of each rule that is on, and the names of those that are off."""
    said = clinic.ask("/rules")[1]
    return ({r["name"]: r["written"] for r in said["rules"] if r["written"]},
            [r["now"]["name"] for r in said["left_out"]])


def told(clinic):
    """The rules that a page which comes now is told of."""
    browser = clinic.browser()
    try:
        hello = browser.until(lambda f: f.HasField("hello")).hello
        return {r.name: r for r in hello.rules if not r.name.endswith(".lost")}
    finally:
        browser.close()


def what_is_changed_is_taken_at_once_and_outlives_a_restart(build):
    with Clinic(build, rules=RULES, start=False) as clinic:
        start(clinic)
        before, tag = read(clinic)
        assert before == {"file": f"{clinic.folder}/page.yaml", "text": "", "rules": [],
                          "before": None}, before
        assert not (clinic.folder / "page.yaml").exists()
        status, said = put(clinic, WARMER, tag)
        assert status == 200 and said["text"] == WARMER, said
        assert said["before"] == {"number": 1, "text": ""}, said
        assert (clinic.folder / "page.yaml").read_text() == WARMER
        for _ in range(2):
            on, off = rules(clinic)
            assert list(on) == ["warm"] == list(told(clinic)) and off == ["burning"], (on, off)
            assert on["warm"]["now"]["above"] == "45 Cel" and "for" not in on["warm"]["now"], on
            assert on["warm"]["before"]["above"] == "43 Cel", on
            assert on["warm"]["file"].endswith("/page.yaml") and on["warm"]["line"] == 2, on
            clinic.stop_hub()
            start(clinic)
        assert (clinic.folder / "rules.d/test.yaml").read_text() == RULES
        lines = [line for line in clinic.ask("/audit")[1]["lines"]
                 if line["what"] == "PUT /rules/changes"]
        assert [line["why"] for line in lines] == ["changed: warm; off: burning"], lines


def what_is_wrong_changes_nothing_and_has_its_line(build):
    with Clinic(build, rules=RULES, start=False) as clinic:
        start(clinic)
        assert put(clinic, WARMER)[0] == 200
        for text, words in [("rules:\n  - name: warm\n    above: 45 K\n", "page.yaml:3:12: "),
                            ("rules:\n  - name: warm\n   above: 45 Cel\n", "page.yaml:3:"),
                            ("rules:\n  - {name: worm, above: 45 Cel}\n", "page.yaml:2:5: "),
                            ("rules:\n  - {name: warm, above: 99 Cel}\n", "page.yaml:2:25: ")]:
            status, said = put(clinic, text)
            assert status == 422 and words in said["detail"], said
            assert said["detail"].startswith("Nothing changed: "), said
        first = read(clinic)[1]
        assert put(clinic, "", first)[0] == 200
        status, said = put(clinic, WARMER, first)  # somebody else was quicker
        assert status == 412, said
        assert clinic.ask("/rules/changes", "PUT", {"text": ""})[0] == 428
        # What the hub cannot take, it says after the file was written: it is as it was.
        config = clinic.folder / "lumbard.yaml"
        good = config.read_text()
        config.write_text(good.replace("clinic:", "clinik:"))
        status, said = put(clinic, WARMER)
        assert status == 409 and "clinik" in said["detail"], said
        assert (clinic.folder / "page.yaml").read_text() == "" and len(rules(clinic)[0]) == 2
        config.write_text(good)
        (clinic.folder / "page.yaml").unlink()
        config.write_text(good.replace("changes: page.yaml", 'changes: ""'))
        assert clinic.ask("/reload", "POST", {})[0] == 200
        status, said = put(clinic, WARMER)
        assert status == 409 and "rules.changes" in said["detail"], said


def a_slow_disk_holds_nobody_else(build):
    """A change of rules is answered when it is on the disk; the wall goes on meanwhile."""
    with Clinic(build, rules=RULES, rooms={"room-1": ["posture/p-01"]}, start=False) as clinic:
        start(clinic, LD_PRELOAD=f"{build}/fixtures/slow_sync/slow_sync.so",
              LUMBAR_TEST_SLOW=str(clinic.folder))
        device, browser, tag = clinic.device("posture", "p-01"), clinic.browser(room=1), read(clinic)[1]
        with ThreadPoolExecutor(2) as pool:
            change = pool.submit(put, clinic, WARMER, tag)
            time.sleep(0.1)
            other = pool.submit(clinic.ask, "/rules/changes", "PUT", {"text": ""},
                                headers={"If-Match": "*"})
            longest, value = 0, 0
            while not change.done():
                sent, value = time.monotonic(), value + 1
                device.send(trunk_inclination=[float(value)])
                browser.until(lambda f, v=value: v in map(
                    round, browser.values(f, "trunk_inclination")), "it is shown")
                longest = max(longest, time.monotonic() - sent)
            assert change.result()[0] == 200 and other.result()[0] == 429, (change, other)
        assert longest < 0.45 and value > 1, (longest, value)
        assert rules(clinic)[1] == ["burning"]


def it_is_taken_back_at_the_page_and_by_lumbarctl(build):
    with Clinic(build, rules=RULES, start=False) as clinic:
        start(clinic)
        def config(*arguments, code=0):
            said = clinic.ctl("config", *arguments, "--state", f"{clinic.folder}/state")
            assert said.returncode == code, (arguments, said)
            return said.stdout
        assert put(clinic, WARMER)[0] == 200
        said, tag = read(clinic)
        assert put(clinic, said["before"]["text"], tag)[0] == 200  # undone ...
        assert rules(clinic)[1] == []
        said, tag = read(clinic)
        assert said["before"]["text"] == WARMER, said
        assert put(clinic, said["before"]["text"], tag)[0] == 200  # ... and done again
        assert rules(clinic)[1] == ["burning"]
        assert "changes of rules: (none) -> new" not in config("diff")
        differs = json.loads(config("diff", "1", "--json", code=5))
        assert {"what": "changes of rules", "from": "there", "to": None, "restart": False} in differs
        checked = subprocess.run([f"{build}/daemon/lumbard", "--config",
                                  f"{clinic.folder}/lumbard.yaml", "--check"],
                                 capture_output=True, text=True, timeout=30)
        assert (f"{clinic.folder}/page.yaml: changes 1 of these rules, and leaves out 1"
                in checked.stdout), checked
        config("rollback", "1")
        wait_for("the first one", lambda: rules(clinic)[1] == [])
        assert not (clinic.folder / "page.yaml").exists()
        config("rollback")
        wait_for("the one with changes", lambda: rules(clinic)[1] == ["burning"])
        assert (clinic.folder / "page.yaml").read_text() == WARMER


def a_start_falls_back_on_what_was_good_with_it(build):
    """A newer package, say, without the rule that was changed."""
    with Clinic(build, rules=RULES, start=False) as clinic:
        start(clinic)
        assert put(clinic, WARMER)[0] == 200
        clinic.stop_hub()
        clinic.write_config(rules=RULES.replace("name: warm", "name: heated"))
        start(clinic)
        complaint = clinic.ask("/status")[1]["config"]["complaint"]
        assert "page.yaml:2:5: 'warm'" in complaint, complaint
        assert list(told(clinic)) == ["warm"] and rules(clinic)[1] == ["burning"]
        status, said = put(clinic, WARMER)
        assert status == 409 and "earlier configuration" in said["detail"], said


def session(clinic, room, *temperatures):
    """Somebody is treated: each temperature for a while, and cool before and after it."""
    status, made = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB"})
    assert status == 201, made
    place = f"/sessions/{made['id']}"
    assert clinic.ask(f"{place}/start", "POST", {})[0] == 200
    device = clinic.device("massage", f"m-{room[-1]}")
    before = clinic.ask(f"/devices/massage/{device.name}")[1].get("messages", 0)
    for temperature in (30.0, *(part for hot in temperatures for part in (hot, 30.0))):
        device.send(skin_temperature=[temperature] * 5)
        time.sleep(0.25)  # a time of its own
    said = f"/devices/massage/{device.name}"
    wait_for("all is heard", lambda: clinic.ask(said)[1]["messages"] == before + device.sequence)
    assert clinic.ask(f"{place}/end", "POST", {})[0] == 200
    wait_for("its recording is whole", lambda: not list(clinic.recordings.glob("*.part")))
    return made["id"]


def changes_are_tried_on_recorded_sessions(build):
    rooms = {"room-1": ["massage/m-1"], "room-2": ["massage/m-2"]}
    text = RULES.replace("    for: 10 s\n", "")
    with Clinic(build, rooms=rooms, rules=text, accounts=True) as clinic:
        def tried(text, sessions=10, who=None):
            ask = who.ask if who else clinic.ask
            status, said = ask("/rules/try", "POST", {"text": text, "sessions": sessions})
            assert status == 200, said
            return said
        nothing = tried("")
        assert nothing["sessions"] == [] and nothing["now"] == 0 and nothing["complete"], nothing
        numbers = [session(clinic, "room-1", 44.0, 46.0), session(clinic, "room-2", 42.0),
                   session(clinic, "room-1", 44.0)]
        same = tried("")
        assert [same[n] for n in ("now", "then", "fewer", "more")] == [3, 3, 0, 0], same
        assert [s["id"] for s in same["sessions"]] == numbers[::-1], same
        higher = "rules: [{name: warm, above: 45 Cel}]"
        said = tried(higher)
        assert [said[n] for n in ("now", "then", "fewer", "more")] == [3, 1, 2, 0], said
        assert said["rules"] == [{"name": "warm", "title": "Skin warm", "now": 3, "then": 1,
                                  "fewer": 2, "more": 0}], said
        assert [s["fewer"] for s in said["sessions"]] == [1, 0, 1], said
        lower = tried("rules: [{name: warm, above: 41 Cel, priority: low}, {name: burning, off: true}]")
        assert [lower[n] for n in ("now", "then", "fewer", "more")] == [3, 4, 0, 1], lower
        assert lower["other_priority"] == 3, lower
        assert [s["id"] for s in tried("", 1)["sessions"]] == numbers[:1:-1]
        # Nothing of it is taken, and what is wrong has its line.
        assert rules(clinic)[0]["warm"]["now"]["above"] == "43 Cel" and read(clinic)[0]["text"] == ""
        status, said = clinic.ask("/rules/try", "POST", {"text": "rules: [{name: warm, above: 45}]"})
        assert status == 422 and "page.yaml:1:29" in said["detail"], said
        # Of the rooms of one's own only; and by those who may change them.
        admin = set_up(clinic)
        lead = invited(clinic, admin, "lea", "lead", ["room-2"])
        assert [s["id"] for s in tried(higher, who=lead)["sessions"]] == numbers[1:2]
        therapist = invited(clinic, admin, "anna", "therapist", ["room-1"])
        assert therapist.ask("/rules/changes")[0] == 200
        assert therapist.ask("/rules/try", "POST", {"text": ""})[0] == 403
        assert therapist.ask("/rules/changes", "PUT", {"text": ""}, {"If-Match": "*"})[0] == 403
        assert lead.ask("/rules/changes", "PUT", {"text": higher}, {"If-Match": "*"})[0] == 200
        assert [tried("")[n] for n in ("now", "then")] == [1, 3]  # undoing it


def what_a_form_changes_is_written_where_it_stands(build):
    """Read and written by the hub, whatever the style; nothing is kept, and nothing applied."""
    by_hand = ("# ours 😀\nrules:\n- name: warm # the pad\n  text: >-\n    Skin {value}\n    # 2.\n\n"
               "  above: '44 Cel' # as agreed\n- {name: burning,\n   off: true}\n")
    with Clinic(build, rules=RULES, accounts=True) as clinic:
        def edit(text, *edits, status=200, ask=clinic.ask):
            got, said = ask("/rules/text", "POST", {"text": text, "rule": "warm", "set": [
                {"path": path, "value": value} for path, value in edits]})
            assert got == status, said
            return said
        status, said = clinic.ask("/rules/text", "POST", {"text": by_hand})
        assert status == 200 and said["text"] == by_hand, said
        assert said["rules"] == [{"name": "warm", "text": "Skin {value} # 2.", "above": "44 Cel"},
                                 {"name": "burning", "off": "true"}], said
        said = edit(by_hand, (["above"], "45 Cel"), (["for"], "5 s"), (["text"], "Skin: {value}."))
        wanted = by_hand.replace("'44 Cel' # as agreed\n", "45 Cel # as agreed\n  for: 5 s\n")
        assert said["text"] == wanted.replace(">-\n    Skin {value}\n    # 2.",
                                              '"Skin: {value}."'), said
        assert said["rules"][0] == {"name": "warm", "text": "Skin: {value}.", "above": "45 Cel",
                                    "for": "5 s"}, said
        assert put(clinic, said["text"])[0] == 200 and read(clinic)[0]["rules"] == said["rules"]
        assert rules(clinic)[0]["warm"]["now"]["text"] == "Skin: {value}."
        # One error each, and it says what is wrong.
        broken = edit("rules: [\n\n", (["above"], "45 Cel"), status=422)
        assert "page.yaml:3:1" in broken["detail"], broken
        odd = "rules:\n- ? name\n  : warm\n  ? for\n  : 2 s\n  ? above\n  : 44 Cel\n"
        assert "only a person" in edit(odd, (["above"], None), status=409)["detail"]
        assert "nothing there" in edit(by_hand, (["all", 0], "x"), status=422)["detail"]
        one = {"text": "", "rule": "warm"}
        assert "32" in edit("", *[(["above"], "45 Cel")] * 33, status=422)["detail"]
        for body in [{}, {"text": 5}, {"text": "", "set": [{}]}, {**one, "set": 5}, {**one, "set": [{}]},
                     {**one, "set": [{"path": "above", "value": "1"}]},
                     {**one, "set": [{"path": ["above"], "value": 1}]}]:
            status, said = clinic.ask("/rules/text", "POST", body)
            assert status == 422 and said["detail"], (body, said)
        # For who may change rules; the steps of a form are no deeds, and are told of once.
        admin = set_up(clinic)
        lead = invited(clinic, admin, "lea", "lead", [])
        for limit in range(44, 50):
            edit("", (["above"], f"{limit} Cel"), ask=lead.ask)
        therapist = invited(clinic, admin, "anna", "therapist", [])
        edit("", (["above"], "45 Cel"), status=403, ask=therapist.ask)
        lines = [line for line in clinic.ask("/audit")[1]["lines"]
                 if line["what"] == "POST /rules/text" and line["who"] == "lea"]
        assert [line["outcome"] for line in lines] == [200], lines


if __name__ == "__main__":
    run([what_is_changed_is_taken_at_once_and_outlives_a_restart,
         what_is_wrong_changes_nothing_and_has_its_line,
         a_slow_disk_holds_nobody_else, it_is_taken_back_at_the_page_and_by_lumbarctl,
         a_start_falls_back_on_what_was_good_with_it,
         changes_are_tried_on_recorded_sessions,
         what_a_form_changes_is_written_where_it_stands])
