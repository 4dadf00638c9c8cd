"""Sessions before the real hub: opened, judged by their plan, recorded under their number, ended."""
import signal
import sqlite3
import time

from clinic import Clinic, run, wait_for

IDLE, RUNNING = 1, 2  # of a massage device
PLAN = """
name: tiny
title: Tiny
limits:
  - {metric: skin_temperature, above: 43 Cel}
phases:
  - {kind: heat, time: 1 min, limits: [{metric: skin_temperature, above: 41 Cel}]}
  - {kind: rest, time: 1 min}
"""
OWN_PRESSURE = """
name: own
title: Own
limits: [{metric: massage_pressure, own: 70 %}]
phases: [{kind: massage, time: 10 min}]
"""
RULES = """
rules:
  - {name: hot, title: Hot, metric: skin_temperature, above: limit(skin_temperature),
     armed: session, priority: medium, text: "{value} in {phase}, limit {limit}."}
"""


def a_device_that_works_opens_one_and_idleness_ends_it(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, rules=RULES, plans={"tiny": PLAN},
                automatic={"room-1": "tiny"}, extra="sessions:\n  idle: 1 s\n") as clinic:
        browser, device = clinic.browser(), clinic.device("massage", "m-01")
        device.send(skin_temperature=[42.0], state=RUNNING)
        session = browser.until(lambda f: f.sessions, "a session").sessions[0]
        assert session.state == session.RUNNING and session.plan == "Tiny", session
        assert session.phase == 1 and session.phase_count == 2, session
        # What was above the limit before is judged anew: by the plan's phase, in its words.
        device.send(skin_temperature=[42.0], state=RUNNING)
        alarm = browser.until(lambda f: f.alarms, "an alarm").alarms[0]
        assert alarm.text == "42 °C in heat, limit 41 °C.", alarm
        device.send(skin_temperature=[30.0], state=IDLE)
        session = browser.until(lambda f: f.sessions and f.sessions[0].state == session.DONE,
                                "its end").sessions[0]
        assert session.id == 1, session
        wait_for("a finished recording", lambda: list(clinic.recordings.glob("room-1_*.rec")))
        listed = clinic.ctl("recording", "ls").stdout
        assert "session 1" in listed and ", 1 messages" not in listed, listed


STOPS = """
rules:
  - {name: full, title: Dose reached, metric: skin_temperature, above: 45 Cel, clear_for: 1 s, latch: true,
     stops: phase, priority: high, text: "{value}."}
"""


def a_phase_that_an_alarm_stops_goes_on_when_somebody_acknowledged_it(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, rules=STOPS, plans={"tiny": PLAN}) as clinic:
        device = clinic.device("massage", "m-01")
        device.send(skin_temperature=[44.0], state=RUNNING)
        opened = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB", "plan": "tiny"})[1]
        number = opened["id"]
        assert order(clinic, number, "start")[0] == 200
        device.send(skin_temperature=[46.0], state=RUNNING)
        session = wait_for("the phase to stop", lambda: (lambda s: s if s["state"] == "paused" else None)(
            clinic.ask(f"/sessions/{number}")[1]))
        assert [note["text"] for note in session["notes"]] == ["Dose reached"], session["notes"]
        status, said = order(clinic, number, "resume")
        assert status == 409 and "'Dose reached': acknowledge" in said["detail"], said
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        status, said = order(clinic, number, "resume")
        assert status == 409, said  # and a restart does not let it go on
        alarm = clinic.ask("/alarms")[1]["alarms"][0]["number"]
        assert clinic.ask(f"/alarms/{alarm}/ack", "POST", {"by": "AB"})[0] == 200
        status, session = order(clinic, number, "resume")
        assert (status, session["state"]) == (200, "running"), session
        device.send(skin_temperature=[46.0], state=RUNNING)  # it stands, and somebody knows
        time.sleep(0.3)
        assert clinic.ask(f"/sessions/{number}")[1]["state"] == "running"
        assert order(clinic, number, "abort", reason="Enough")[0] == 200


def one_that_a_device_opened_is_named_and_led_by_hand(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, plans={"own": OWN_PRESSURE},
                automatic={"room-1": "own"}) as clinic:
        clinic.ask("/clients", "POST", {"name": "A-17", "own": [
            {"metric": "massage_pressure", "high": "200 kPa",
             "measured": time.strftime("%Y-%m-%d", time.gmtime())}]})
        device = clinic.device("massage", "m-01")
        device.send(massage_pressure=[50.0], state=RUNNING)
        wait_for("a session", lambda: clinic.ask("/sessions")[1]["sessions"])
        session = clinic.ask("/sessions/1")[1]
        assert (session["client"], session["therapist"]) == (None, None), session
        assert session["bands"][0]["high"] is None, session
        for body, status, words in [({}, 422, "'client', 'therapist' or both"),
                                    ({"client": "B"}, 404, "There is no client 'B'"),
                                    ({"therapist": "Dr. Longname"}, 422, "therapist")]:
            answer = order(clinic, 1, "name", **body)
            assert answer[0] == status and words in answer[1]["detail"], (body, answer)
        status, session = order(clinic, 1, "name", client="A-17", therapist="AB")
        assert (status, session["client"], session["therapist"]) == (200, "A-17", "AB"), session
        assert session["bands"][0]["high"] == 140, session  # its own threshold counts from now on
        assert clinic.ask("/clients/A-17")[1]["session"] == 1
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        again = clinic.ask("/sessions/1")[1]
        assert (again["client"], again["bands"][0]["high"]) == ("A-17", 140), again


def a_wearable_that_moves_rooms_in_between_tears_nothing(build):
    """It comes and goes with the configuration; what it said is in the history all the same."""
    there = {"room-1": ["massage/m-01", "posture/p-01"], "room-2": []}
    gone = {"room-1": ["massage/m-01"], "room-2": ["posture/p-01"]}
    with Clinic(build, rooms=there, plans={"tiny": PLAN}) as clinic:
        device = clinic.device("posture", "p-01")
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                  "plan": "tiny"})[1]["id"]
        order(clinic, number, "start")
        stays = lambda: [d["to"] is not None for d in clinic.ask(f"/sessions/{number}")[1]
                         ["devices"] if d["device"] == "posture/p-01"]
        for sequence, (rooms, wanted) in enumerate([(there, [False]), (gone, [True]),
                                                    (there, [True, False])]):
            clinic.write_config(rooms=rooms)
            clinic.hub.send_signal(signal.SIGHUP)
            wait_for(f"the wearable to have moved: {wanted}", lambda: stays() == wanted)
            device.send(trunk_inclination=[10.0 + sequence] * 5)
            wait_for("its value", lambda: clinic.ask("/devices/posture/p-01")[1]["values"]
                     ["trunk_inclination"]["value"] == 10 + sequence)
        session = clinic.ask(f"/sessions/{number}")[1]
        first, second = session["devices"][1:]
        assert first["to"] and first["to"] <= second["from"] and second["to"] is None, session
        assert session["state"] == "running", session
        assert order(clinic, number, "end")[1]["devices"][2]["to"], "it left with the end"
        history = clinic.ask("/history?device=posture/p-01&metric=trunk_inclination")[1]
        said = {(b["min"], b["max"]) for b in history["buckets"]}
        assert min(s[0] for s in said) == 10 and max(s[1] for s in said) == 12, history
        assert sum(b["count"] for b in history["buckets"]) == 15, history
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        kept = clinic.ask(f"/sessions/{number}")[1]["devices"]
        assert kept[1] == first and kept[2]["from"] == second["from"] and kept[2]["to"], kept


def order(clinic, number, name, **body):
    """What the API says to an order: the status, and the session or the problem."""
    return clinic.ask(f"/sessions/{number}/{name}", "POST", body)


def a_therapist_leads_one_from_its_opening_to_its_end(build):
    rooms = {"room-1": ["massage/m-01"], "room-2": ["posture/p-01"]}
    with Clinic(build, rooms=rooms, plans={"tiny": PLAN}) as clinic:
        assert [p["name"] for p in clinic.ask("/plans")[1]["plans"]] == ["tiny"]
        status, session = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                           "plan": "tiny"})
        assert (status, session["state"], session["plan"]) == (201, "planned", "tiny"), session
        number = session["id"]
        assert [d["device"] for d in session["devices"]] == ["massage/m-01"], session
        for name, body, look, wanted in [
                ("pain", {"pain": 5, "when": "before"}, lambda s: s["pain"]["before"], 5),
                ("start", {}, lambda s: (s["state"], s["phase_title"]), ("running", "Heat")),
                ("marker", {}, lambda s: s["notes"][0]["kind"], "marker"),
                ("note", {"text": "Left side tender."}, lambda s: s["notes"][1]["text"],
                 "Left side tender."),
                ("pain", {"pain": 7, "when": "during"}, lambda s: s["ask_to_stop"], True),
                ("pause", {}, lambda s: s["state"], "paused"),
                ("resume", {}, lambda s: s["state"], "running"),
                ("next", {}, lambda s: (s["phase"], s["phases"][0]["ended"] is None), (2, False)),
                ("assign", {"device": "posture/p-01"}, lambda s: s["devices"][1]["by_hand"], True),
                ("unassign", {"device": "posture/p-01"},
                 lambda s: s["devices"][1]["to"] is None, False),
                ("move", {"room": "room-2"}, lambda s: s["room"], "room-2"),
                ("end", {}, lambda s: s["state"], "done"),
                ("adverse", {"text": "Dizzy."}, lambda s: s["adverse"], "Dizzy."),
                ("rmdq", {"score": 9}, lambda s: s["rmdq"], 9),
                ("odi", {"score": 22}, lambda s: s["odi"], 22),
                ("pain", {"pain": 3, "when": "after"}, lambda s: s["pain"]["after"], 3)]:
            status, session = order(clinic, number, name, **body)
            assert status == 200, (name, session)
            assert look(session) == wanted, (name, session)
        assert clinic.ask(f"/sessions/{number}")[1]["notes"] == session["notes"]
        assert [s["id"] for s in clinic.ask("/sessions?room=room-2")[1]["sessions"]] == [number]


def what_cannot_be_is_refused_and_changes_nothing(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, plans={"tiny": PLAN}) as clinic:
        opening = {"room": "room-1", "therapist": "AB", "plan": "tiny"}
        for change, status, words in [({"room": "nowhere"}, 404, "nowhere"),
                                      ({"plan": "tinny"}, 404, "did you mean 'tiny'?"),
                                      ({"therapist": "Dr. Longname"}, 422, "therapist"),
                                      ({"therapits": "AB"}, 422, "therapist")]:
            answer = clinic.ask("/sessions", "POST", {**opening, **change})
            assert answer[0] == status and words in answer[1]["detail"], (change, answer)
        assert clinic.ask("/sessions")[1]["sessions"] == []
        number = clinic.ask("/sessions", "POST", opening)[1]["id"]
        before = clinic.ask(f"/sessions/{number}")[1]
        for name, body, status, words in [
                ("pause", {}, 409, "is planned and cannot be paused"),
                ("pain", {"pain": 11, "when": "before"}, 422, "0..10"),
                ("pain", {"pain": 1, "when": "never"}, 422, "before, during or after"),
                ("abort", {}, 422, "reason"), ("note", {}, 422, "text"),
                ("move", {"room": "nowhere"}, 404, "no such room"),
                ("assign", {"device": "massage/m-99"}, 404, "no such device")]:
            answer = order(clinic, number, name, **body)
            assert answer[0] == status and words in answer[1]["detail"], (name, answer)
        assert clinic.ask("/sessions", "POST", opening)[0] == 409  # the room has one
        assert order(clinic, 99, "start")[0] == 404
        assert clinic.ask(f"/sessions/{number}")[1] == before
        status, session = order(clinic, number, "abort", reason="Client unwell")
        assert (session["state"], session["reason"]) == ("aborted", "Client unwell"), session


def lasting(session):
    """What of a session does not run on with the clock."""
    return {**session, "left_ms": None, "stored": None,
            "phases": [{**phase, "spent_ms": None} for phase in session["phases"]]}


def one_survives_kills_as_it_was_answered(build):
    rooms = {"room-1": ["massage/m-01"], "room-2": ["posture/p-01"]}
    with Clinic(build, rooms=rooms, plans={"tiny": PLAN}) as clinic:
        device = clinic.device("massage", "m-01")
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                  "plan": "tiny"})[1]["id"]
        for name, body in [("pain", {"pain": 5, "when": "before"}), ("start", {}),
                           ("note", {"text": "Left side tender."}), ("marker", {}),
                           ("assign", {"device": "posture/p-01"}), ("next", {})]:
            status, said = order(clinic, number, name, **body)
            assert status == 200 and said["stored"], (name, said)
            clinic.stop_hub(signal.SIGKILL)
            clinic.start_hub()
            now = clinic.ask(f"/sessions/{number}")[1]
            assert lasting({**now, "stored": None}) == lasting(said), (name, now, said)

        # What was accounted, and what came after the last commit, is counted once.
        for _ in range(6):
            device.send(skin_temperature=[42.0] * 11, massage_pressure=[50.0] * 11, step_ms=100,
                        state=RUNNING, region=1)
            time.sleep(1)
        band = lambda: clinic.ask(f"/sessions/{number}")[1]["bands"][0]
        dose = lambda: clinic.ask(f"/sessions/{number}")[1]["doses"][0]["time_ms"]
        before = band()["within_ms"], dose()
        assert min(before) > 3000, before
        for _ in range(2):
            clinic.stop_hub(signal.SIGKILL)
            clinic.start_hub()
            assert abs(band()["within_ms"] - before[0]) <= 100, (band(), before)
            assert abs(dose() - before[1]) <= 100, (dose(), before)

        assert order(clinic, number, "end")[1]["state"] == "done"
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert order(clinic, number, "pain", pain=2, when="after")[1]["pain"]["after"] == 2
        fresh = clinic.ask("/sessions", "POST", {"room": "room-2", "therapist": "AB"})[1]
        assert fresh["id"] == number + 1, fresh
        order(clinic, fresh["id"], "start")
        # Its room is gone: it is said, and others are not held up.
        clinic.stop_hub()
        clinic.write_config(rooms={"room-1": ["massage/m-01"]})
        clinic.start_hub()
        assert clinic.said(f"session {fresh['id']} cannot be taken up")
        assert [s["id"] for s in clinic.ask("/sessions")[1]["sessions"]] == [number]
        third = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]
        assert third["id"] == number + 2, third
        clinic.stop_hub()
        clinic.start_hub()
        assert not clinic.said("cannot be taken up")


def the_number_of_one_who_was_erased_is_not_given_again(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        for name in "AB":
            assert clinic.ask("/clients", "POST", {"name": name})[0] == 201
        opening = {"room": "room-1", "therapist": "AB", "client": "B"}
        number = clinic.ask("/sessions", "POST", opening)[1]["id"]
        order(clinic, number, "start")
        assert order(clinic, number, "end")[1]["client"] == "B"
        assert clinic.ask("/clients/B", "DELETE")[0] == 200
        clinic.stop_hub()
        clinic.start_hub()
        for name in "CD":
            assert clinic.ask("/clients", "POST", {"name": name})[0] == 201
        assert clinic.ask(f"/sessions/{number}")[1]["client"] is None
        assert clinic.ask("/clients/D", "DELETE")[1]["stored"]  # of whom no other row tells
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert clinic.ask(f"/sessions/{number}")[1]["client"] is None
        assert clinic.ask("/clients", "POST", {"name": "E"})[0] == 201
        clinic.stop_hub()
        with sqlite3.connect(clinic.folder / "history.db") as db:
            clients = db.execute("SELECT alias, id FROM client ORDER BY id").fetchall()
        db.close()
        assert clients == [("A", 1), ("C", 3), ("E", 5)], clients


def one_whose_room_a_reload_removes_stays_aborted(build):
    rooms = {"room-1": ["massage/m-01"], "room-2": ["posture/p-01"]}
    with Clinic(build, rooms=rooms, plans={"tiny": PLAN}) as clinic:
        stays = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]["id"]
        gone = clinic.ask("/sessions", "POST", {"room": "room-2", "therapist": "AB",
                                                "plan": "tiny"})[1]["id"]
        order(clinic, stays, "start")
        assert order(clinic, gone, "start")[1]["stored"]
        clinic.write_config(rooms={"room-1": ["massage/m-01"]})
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: clinic.said("configuration reloaded"))
        assert clinic.said(f"session {gone}: aborted in")
        for _ in range(2):  # it is as it is kept: nothing is left for a start to give up
            clinic.stop_hub()
            with sqlite3.connect(clinic.folder / "history.db") as db:
                row = db.execute("SELECT room, state, reason, ended_ms IS NOT NULL FROM session"
                                 " WHERE id = ?", (gone,)).fetchone()
            db.close()
            assert row == ("room-2", "aborted", "its room is not configured any more", 1), row
            clinic.start_hub()
            assert not clinic.said("cannot be taken up")
        assert clinic.ask(f"/sessions/{stays}")[1]["state"] == "running"


CLIENT = {"name": "A-17", "goals": ["Sit for an hour"],
          "own": [{"metric": "lumbar_flexion", "low": "-20 deg", "high": "50 deg",
                   "measured": time.strftime("%Y-%m-%d", time.gmtime())},
                  {"metric": "lumbar_rotation", "high": "9 deg", "measured": "2020-01-01"}]}
OWN_PLAN = """
name: own
title: Own
limits: [{metric: lumbar_flexion, above: 45 deg, own: 80 %}]
phases: [{kind: exercise, time: 1 min}]
"""


def a_client_has_limits_of_their_own_and_can_be_erased(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, plans={"own": OWN_PLAN}) as clinic:
        status, client = clinic.ask("/clients", "POST", CLIENT)
        assert status == 201 and client["stored"] and client["goals"] == CLIENT["goals"], client
        assert clinic.ask("/clients", "POST", CLIENT)[0] == 409
        for wrong, words in [({"name": "Maria Muster"}, "name"),
                             ({"own": [{"metric": "lumbar_flexoin"}]}, "lumbar_flexion"),
                             ({"ownn": []}, "own")]:
            status, said = clinic.ask("/clients", "POST", {**CLIENT, "name": "B", **wrong})
            assert status == 422 and words in said["detail"], (wrong, said)
        assert [c["name"] for c in clinic.ask("/clients")[1]["clients"]] == ["A-17"]

        # A copy of the template, tailored: the template stays as it was.
        assert clinic.ask("/clients/A-17/plans/own", "PUT", {"template": "own"})[0] == 201
        status, plan = clinic.ask("/clients/A-17/plans/own", "PUT", {
            "title": "Own, careful", "phases": [{"kind": "rest", "time": "2 min"}],
            "limits": [{"metric": "lumbar_flexion", "above": "45 deg", "own": "50 %"}]},
            headers={"If-Match": clinic.headers["ETag"]})
        assert (status, plan["client"]) == (200, "A-17"), plan
        assert clinic.ask("/plans")[1]["plans"][0]["title"] == "Own"

        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        client = clinic.ask("/clients/A-17")[1]
        assert (client["plans"], client["goals"]) == (["own"], CLIENT["goals"]), client
        opening = {"room": "room-1", "therapist": "AB", "client": "A-17", "plan": "own"}
        session = clinic.ask("/sessions", "POST", opening)[1]
        assert session["client"] == "A-17" and session["phases"][0]["kind"] == "rest", session
        assert (session["bands"][0]["low"], session["bands"][0]["high"]) == (-10, 25), session
        assert clinic.ask("/clients/A-17", "DELETE")[0] == 409  # while in a session
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        again = clinic.ask(f"/sessions/{session['id']}")[1]
        assert (again["client"], again["bands"]) == ("A-17", session["bands"]), again
        order(clinic, session["id"], "abort", reason="Only a test")

        status, said = clinic.ask("/clients/A-17", "DELETE")
        assert status == 200 and said["stored"], said
        clinic.stop_hub()
        rows = sqlite3.connect(clinic.folder / "history.db").iterdump()
        assert not [row for row in rows if "A-17" in row], "the pseudonym is still there"
        clinic.start_hub()
        assert clinic.ask("/clients")[1]["clients"] == []
        assert clinic.ask(f"/sessions/{session['id']}")[1]["client"] is None
        assert clinic.ask("/clients", "POST", CLIENT)[0] == 201


def one_whose_plan_names_what_is_gone_goes_on_and_says_so(build):
    """As after a metric was renamed. What its limits counted stays with those that are left."""
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, plans={"tiny": PLAN},
                rules=RULES.replace("    armed: session,", "   ").replace(
                    "limit(skin_temperature)", "40 Cel").replace(", limit {limit}", "")) as clinic:
        device = clinic.device("massage", "m-01")
        device.send(skin_temperature=[42.0], state=RUNNING)  # it stands when the session begins
        wait_for("the alarm", lambda: clinic.ask("/alarms")[1]["alarms"])
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                  "plan": "tiny"})[1]["id"]
        clinic.ask(f"/sessions/{number}/start", "POST", {})
        for _ in range(4):
            time.sleep(0.3)
            device.send(skin_temperature=[42.0], state=RUNNING)
        above = wait_for("time above", lambda: clinic.ask(f"/sessions/{number}")[1]["bands"][1]
                         ["above_ms"])
        clinic.ask(f"/sessions/{number}/note", "POST", {"text": "x"})
        clinic.stop_hub()
        with sqlite3.connect(f"{clinic.folder}/history.db") as db:
            body = db.execute("SELECT body FROM session").fetchone()[0]
            db.execute("UPDATE session SET body = ?",
                       [body.replace('"skin_temperature"', '"skin_warmth"', 1)])
        db.close()
        clinic.start_hub()
        assert clinic.said("1 limits or targets cannot be read any more"), clinic.log_path.read_text()
        session = clinic.ask(f"/sessions/{number}")[1]
        assert session["state"] == "running" and len(session["phases"]) == 2, session
        assert [b["low"] or b["high"] for b in session["bands"]] == [41], session
        assert session["bands"][0]["above_ms"] >= above, session
        assert clinic.ask(f"/sessions/{number}/end", "POST", {})[0] == 200
        report = clinic.ctl("session", "report", str(number)).stdout
        assert "Limits or targets of the plan cannot be told any more" in report, report
        alarms = clinic.ask(f"/sessions/{number}/record")[1]["alarms"]
        assert [a["rule"] for a in alarms] == ["hot"], alarms


def one_that_moves_ends_its_tape_and_late_values_are_of_their_session(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"], "room-2": []},
                plans={"tiny": PLAN}) as clinic:
        device = clinic.device("massage", "m-01")
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                  "plan": "tiny"})[1]["id"]
        clinic.ask(f"/sessions/{number}/assign", "POST", {"device": "massage/m-01"})
        clinic.ask(f"/sessions/{number}/start", "POST", {})
        device.send(skin_temperature=[42.0] * 20, state=RUNNING)
        wait_for("it is judged", lambda: clinic.ask(f"/sessions/{number}")[1]["bands"][1]["above_ms"])
        assert clinic.ask(f"/sessions/{number}/move", "POST", {"room": "room-2"})[0] == 200
        wait_for("its tape is finished", lambda: list(clinic.recordings.glob("room-1_*.rec")))
        held = [device.message(skin_temperature=[42.0] * 20, state=RUNNING) for _ in range(3)
                if not time.sleep(0.5)]
        clinic.ask(f"/sessions/{number}/end", "POST", {})
        before = clinic.ask(f"/sessions/{number}")[1]["bands"][1]["above_ms"]
        for message in held:  # it had no network
            clinic.mqtt.publish(device.topic, message)
        wait_for("what came late counts", lambda: clinic.ask(f"/sessions/{number}")[1]["bands"][1]
                 ["above_ms"] >= before + 3 * 380)
        clinic.ask(f"/sessions/{number}/note", "POST", {"text": "x"})  # and is kept
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert clinic.ask(f"/sessions/{number}")[1]["bands"][1]["above_ms"] >= before + 3 * 380


def more_is_said_of_one_that_is_over(build):
    """Of the last one of a room, and of one that others followed; not of one that is over too long."""
    def rows(clinic, sql):
        with sqlite3.connect(f"file:{clinic.folder}/history.db?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()

    with Clinic(build, rooms={"room-1": []}) as clinic:
        for _ in range(2):
            number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]["id"]
            for order in ("start", "end"):
                assert clinic.ask(f"/sessions/{number}/{order}", "POST", {})[0] == 200
        for number in (1, 2):
            for order, body in [("pain", {"pain": 3, "when": "after", "by": "CD"}),
                                ("rmdq", {"score": 7}), ("odi", {"score": 20}),
                                ("note", {"text": "Slept well."}),
                                ("adverse", {"text": "A bruise."})]:
                status, said = clinic.ask(f"/sessions/{number}/{order}", "POST", body)
                assert status == 200 and said["stored"], said
        assert clinic.ctl("session", "amend", "1", "pain-after", "2", "--by", "EF").returncode == 0
        for number, pain in ((1, 2), (2, 3)):
            record = clinic.ask(f"/sessions/{number}/record")[1]
            assert [record["pain"]["after"], record["rmdq"], record["odi"], record["adverse"]] == \
                [pain, 7, 20, "A bruise."], record
            assert [n["text"] for n in record["notes"]] == ["Slept well."], record
            assert [(c["what"], c["who"]) for c in record["changes"]][:2] == \
                [("pain_after", "CD"), ("rmdq", "lumbarctl")], record["changes"]
        assert clinic.ask("/sessions/1/record")[1]["changes"][-1]["who"] == "EF"
        # What cannot be said of one that is over.
        for order, body in [("pain", {"pain": 3, "when": "during"}), ("marker", {}), ("start", {})]:
            assert clinic.ask(f"/sessions/1/{order}", "POST", body)[0] == 404, order
        assert clinic.ask("/sessions/1/pain", "POST", {"pain": 11, "when": "after"})[0] == 422
        assert clinic.ask("/sessions/9/rmdq", "POST", {"score": 7})[0] == 404
        clinic.stop_hub(signal.SIGKILL)
        clinic.write_config(extra="sessions:\n  amend_days: 0\n")
        clinic.start_hub()
        assert clinic.ask("/sessions/1/record")[1]["pain"]["after"] == 2
        assert clinic.ask("/sessions/1/record")[1]["open_until"] is None
        status, said = clinic.ask("/sessions/1/rmdq", "POST", {"score": 7})
        assert status == 409 and "0 days ago" in said["detail"], said
        assert len(rows(clinic, "SELECT * FROM amendment")) == 11
        assert rows(clinic, "SELECT count(*) FROM session_note") == [(2,)]


if __name__ == "__main__":
    run([more_is_said_of_one_that_is_over,
         one_that_moves_ends_its_tape_and_late_values_are_of_their_session,
         one_whose_plan_names_what_is_gone_goes_on_and_says_so,
         a_client_has_limits_of_their_own_and_can_be_erased, one_survives_kills_as_it_was_answered,
         a_therapist_leads_one_from_its_opening_to_its_end,
         what_cannot_be_is_refused_and_changes_nothing,
         a_device_that_works_opens_one_and_idleness_ends_it,
         one_that_a_device_opened_is_named_and_led_by_hand,
         a_phase_that_an_alarm_stops_goes_on_when_somebody_acknowledged_it,
         a_wearable_that_moves_rooms_in_between_tears_nothing,
         one_whose_room_a_reload_removes_stays_aborted,
         the_number_of_one_who_was_erased_is_not_given_again])
