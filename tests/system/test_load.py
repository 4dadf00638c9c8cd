"""Alarm load: how many came and were answered, and what would quieten the noisiest rule."""
import json
import time
import urllib.parse

from clinic import Clinic, run, wait_for

RULES = """
rules:
  - name: bent
    title: Bent forward
    metric: posture/trunk_inclination
    above: 20 deg
    priority: low
    text: "Trunk bent {value} in {room}."
  - name: far
    title: Far forward
    metric: posture/trunk_inclination
    above: 60 deg
    priority: medium
    text: "Trunk bent {value} in {room}."
"""
NODS = 6


def nod(device, value):
    """A moment beyond the limit, then back."""
    for angle in (value, 5.0):
        device.send(trunk_inclination=[angle] * 10)
        time.sleep(0.3)


def load_of(clinic):
    status, load = clinic.ask("/alarms/load")
    assert status == 200, load
    return load


def history_of(clinic, **query):
    status, page = clinic.ask("/alarms/history?" + urllib.parse.urlencode(query))
    assert status == 200, page
    return page


def what_became_of_them_is_told(clinic, number):
    """NODS times bent and over; then bent and far, which stand, and far is acknowledged."""
    past = history_of(clinic)["alarms"]
    assert [a["number"] for a in past] == sorted((a["number"] for a in past), reverse=True), past
    assert len(past) == NODS + 2 and history_of(clinic)["next"] is None, past
    far = next(a for a in past if a["number"] == number)
    assert (far["rule"], far["room"], far["device"]) == ("far", "room-1", "posture/p-01"), far
    assert (far["state"], far["ended"], far["value"], far["unit"]) == ("ack", None, 65.0, "deg"), far
    assert [(t["what"], t.get("by")) for t in far["transitions"]] == \
        [("on", None), ("acknowledged", "ab")], far
    over = past[-1]
    assert [t["what"] for t in over["transitions"]] == ["on", "over"], over
    assert over["ended"] == over["transitions"][1]["at"] > over["raised"], over

    assert [a["rule"] for a in history_of(clinic, rule="far")["alarms"]] == ["far"]
    assert len(history_of(clinic, room="room-1")["alarms"]) == NODS + 2
    assert history_of(clinic, room="none")["alarms"] == []
    assert history_of(clinic, to=over["raised"])["alarms"] == []  # up to it, without it
    assert len(history_of(clinic, **{"from": over["ended"]})["alarms"]) == NODS + 1
    pages, before = [], 0
    while before is not None:  # a page at a time none is missed, and none comes twice
        page = history_of(clinic, limit=3, before=before)
        pages, before = pages + [page["alarms"]], page["next"]
    assert [len(p) for p in pages] == [3, 3, 2] and sum(pages, []) == past, pages

    said = clinic.ctl("alarms", "history", "--rule", "far")
    assert said.returncode == 0 and "acknowledged by ab" in said.stdout, said
    assert "stands (ack)" in said.stdout and "65 deg" in said.stdout, said.stdout
    said = clinic.ctl("alarms", "history", "--limit", "2", "--json")
    assert json.loads(said.stdout) == past[:2], said.stdout
    assert clinic.ctl("alarms", "history", "--limit", "0").returncode == 2


def what_came_and_was_answered_is_counted_and_survives(build):
    with Clinic(build, rules=RULES) as clinic:
        clinic.write_config(recorded=True)
        clinic.stop_hub()
        clinic.start_hub()
        device = clinic.device("posture", "p-01")
        for _ in range(NODS):
            nod(device, 25.0)
        device.send(trunk_inclination=[65.0] * 10)
        wait_for("two that stand", lambda: clinic.ask("/alarms")[1]["standing"] == 2)
        number = next(a["number"] for a in clinic.ask("/alarms")[1]["alarms"] if a["rule"] == "far")
        status, answer = clinic.ask(f"/alarms/{number}/ack", "POST", {"by": "ab"})
        assert status == 200, answer
        load = wait_for("all on the disk", lambda: (lambda now: now if now["alarms"] == NODS + 2 and
                                                    now["acknowledged"] else None)(load_of(clinic)))
        assert (load["ended"], load["ended_unacknowledged"]) == (NODS, NODS), load
        assert [(r["rule"], r["alarms"], r["unacknowledged"]) for r in load["worst_rules"]] == \
            [("bent", NODS + 1, NODS), ("far", 1, 0)], load
        assert 0 <= load["median_to_acknowledge_ms"] < 60000 and load["floods"] == 0, load
        what_became_of_them_is_told(clinic, number)
        clinic.stop_hub()
        clinic.start_hub()
        again = load_of(clinic)
        assert again["alarms"] == NODS + 2 and again["worst_rules"] == load["worst_rules"], again

        said = clinic.ctl("alarms", "load", "--halve")
        assert said.returncode == 0, said
        lines = said.stdout.splitlines()
        assert f"alarms          {NODS + 2}," in said.stdout, said.stdout
        assert any(line.startswith(f"bent raised {NODS + 1} alarms on 1 recordings")
                   or line.startswith(f"bent raised {NODS + 1} alarms on 2 recordings")
                   for line in lines), said.stdout
        # Bent for a moment at a time: a second's delay takes all away but the last, which stands.
        assert "a delay of" in said.stdout, said.stdout


def what_makes_no_sense_gets_a_sentence(build):
    with Clinic(build) as clinic:
        for query, status, words in [("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "before"),
                                     ("from=yesterday", 422, "'from'")]:
            got, answer = clinic.ask(f"/alarms/load?{query}")
            assert got == status and words in answer["detail"], answer
        load = load_of(clinic)
        assert load["alarms"] == 0 and load["median_to_acknowledge_ms"] is None, load
        assert clinic.ctl("alarms", "load", "--json").returncode == 0
        assert clinic.ctl("alarms", "load", "--from", "nonsense").returncode == 2


if __name__ == "__main__":
    run([what_came_and_was_answered_is_counted_and_survives, what_makes_no_sense_gets_a_sentence])
