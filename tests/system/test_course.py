"""The course of a client before the real hub: a year of sessions, made up in its own tables."""
import json
import sqlite3
import time

from clinic import Clinic, run

DAY_MS = 86400000
NOW_MS = int(time.time() * 1000)
OTHERS = 20000  # sessions of others in the same year: 20 rooms, four a day


def instant(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def made_up(clinic, client, sessions, body):
    """Rows as the hub writes them: (id, days ago, pain before and after, rmdq, odi, minutes)."""
    with sqlite3.connect(clinic.folder / "history.db") as db:
        for number, ago, before, after, rmdq, odi, minutes in sessions:
            at = NOW_MS - ago * DAY_MS
            spent = json.loads(body)
            spent["doses"] = {"lower_back_left": [minutes * 60000, minutes * 60000 * 40.0]}
            db.execute("INSERT INTO session VALUES (?, ?, NULL, 'room-1', 'AB', 'done', NULL, ?, ?,"
                       " ?, ?, ?, ?, ?, NULL, ?)",
                       (number, client, at, at, at + 1800000, before, after, rmdq, odi,
                        json.dumps(spent)))


def made_up_range(clinic, number, client, ago, best):
    body = {"direction": 1, "best": best, "mean": best - 2, "spread": 2.0, "peaks": [best] * 3}
    with sqlite3.connect(clinic.folder / "history.db") as db:
        db.execute("INSERT INTO calibration VALUES (?, ?, NULL, 'range', 'posture/p-01',"
                   " 'lumbar_flexion', ?, ?, ?)",
                   (number, client, NOW_MS - ago * DAY_MS, NOW_MS, json.dumps(body)))


def body_of_a_session(clinic):
    """What the hub itself keeps of a session with a plan."""
    number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                              "plan": "back"})[1]["id"]
    clinic.ask(f"/sessions/{number}/start", "POST")
    clinic.ask(f"/sessions/{number}/end", "POST")
    db = sqlite3.connect(clinic.folder / "history.db")
    return db.execute("SELECT body FROM session WHERE id = ?", (number,)).fetchone()[0]


def a_year_is_told_with_what_may_be_said_of_it(build):
    plan = """
name: back
title: Lower back
phases: [{kind: massage, time: 15 min}, {kind: exercise, time: 10 min}]
"""
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, plans={"back": plan}) as clinic:
        for name in ("A-17", "B-2"):
            assert clinic.ask("/clients", "POST", {"name": name})[0] == 201
        assert clinic.ask("/clients/A-17/course")[1]["told"] == []
        assert clinic.ask("/clients/Z/course")[0] == 404
        assert clinic.ask("/clients/A-17/course?from=2026-01-02T00:00:00Z"
                          "&to=2026-01-01T00:00:00Z")[0] == 422
        body = body_of_a_session(clinic)
        clinic.stop_hub()
        week = [(1000 + w, 360 - 7 * w, 7 - w // 10, 5 - w // 12, 14 - w // 5, None, 10 + w % 5)
                for w in range(51)]
        made_up(clinic, 1, week + [(999, 800, 10, 10, 24, 100, 5)], body)
        made_up_range(clinic, 900, 1, 350, 40.0)
        made_up_range(clinic, 901, 1, 100, 47.0)
        made_up_range(clinic, 902, 1, 10, 44.0)
        made_up(clinic, 2, [(5000 + i, i % 365, 5, 5, None, None, 12) for i in range(OTHERS)], body)
        clinic.start_hub()

        began = time.monotonic()
        status, course = clinic.ask("/clients/A-17/course")
        took_ms = (time.monotonic() - began) * 1000
        assert status == 200 and len(course["sessions"]) == 51, course
        assert course["sessions"][0]["plan"] == "Lower back" and course["unit"] == "kPa", course
        assert course["sessions"][0]["dose"] == {"time_ms": 600000, "mean": 40, "sum": 400}, course
        told = {(t["what"], t["metric"]): t for t in course["told"]}
        pain = told["pain", None]
        assert (pain["first"]["value"], pain["last"]["value"], pain["verdict"]) == (7, 2, "less")
        assert "by as much as matters" in pain["words"]["en"] and "spüren" in pain["words"]["de"]
        assert told["rmdq", None]["verdict"] == "less" and ("odi", None) not in told, told
        flexion = told["range", "lumbar_flexion"]
        assert (flexion["values"], flexion["verdict"]) == (3, "same"), flexion  # 4 degrees
        assert "no change beyond measurement error" in flexion["words"]["en"], flexion
        assert [r["best"] for r in course["ranges"]] == [40, 47, 44], course["ranges"]

        # A span of one's own; more than can be told; by lumbarctl.
        since = f"/clients/A-17/course?from={instant(NOW_MS - 1000 * DAY_MS)}"
        assert clinic.ask(since)[1]["sessions"][0]["id"] == 999
        some = clinic.ask("/clients/B-2/course")[1]
        assert len(some["sessions"]) == 2000 and some["more"], len(some["sessions"])
        said = clinic.ctl("client", "course", "A-17")
        assert said.returncode == 0 and "Pain before a treatment: less" in said.stdout, said
        assert said.stdout.count("done") == 51 and "best 47.0, mean 45.0" in said.stdout, said.stdout
        assert "Schmerz" in clinic.ctl("client", "course", "A-17", "--lang", "de").stdout
        assert clinic.ctl("client", "course", "Z").returncode == 1
        listed = clinic.ctl("client", "list").stdout
        assert "A-17" in listed and "B-2" in listed, listed
        print(f"a client's year among {OTHERS} sessions: {took_ms:.0f} ms")
        assert took_ms < 2000


if __name__ == "__main__":
    run([a_year_is_told_with_what_may_be_said_of_it])
