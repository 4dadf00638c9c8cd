#!/usr/bin/python3
"""A database that is damaged, at start and at work, with the real hub and real pages: it is set
aside and said, and what comes in its place is rebuilt: from the newest good backup, from recordings
since then, and from what the running hub knows."""
import datetime
import json
import os
import signal
import sqlite3
import time

from clinic import Clinic, now_ms, run, wait_for

ROOMS = {"room-1": ["posture/p-01"], "room-2": ["posture/p-02"], "room-3": ["posture/p-03"]}
RULES = """rules:
  - {name: bent, title: Bent, metric: trunk_inclination, above: 45 deg, priority: low, text: Bent}
"""


def ask_file(clinic, sql):
    db = sqlite3.connect(f"file:{clinic.folder}/history.db?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def order(clinic, session, name, **body):
    status, said = clinic.ask(f"/sessions/{session}/{name}", "POST", body)
    assert status == 200, (name, said)


def open_session(clinic, room, client):
    assert clinic.ask("/clients", "POST", {"name": client, "goals": []})[0] == 201
    status, said = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB",
                                                    "client": client})
    assert status == 201, said
    order(clinic, said["id"], "start")
    return said["id"]


def talk(clinic, device, times, straight=True):
    """So many messages of ten samples: bent, which raises an alarm, and straight at last."""
    kind, name = ROOMS[device][0].split("/")
    talker = clinic.device(kind, name)
    for _ in range(times - straight):
        talker.send(trunk_inclination=[60.0] * 10)
        time.sleep(0.02)
    if straight:
        talker.send(trunk_inclination=[10.0] * 10)
    return talker


def samples(clinic, device):
    begin, end = (datetime.datetime.fromtimestamp(now_ms() / 1000 + s, datetime.timezone.utc)
                  .strftime("%Y-%m-%dT%H:%M:%SZ") for s in (-1200, 5))
    said = clinic.ask(f"/history?device={device}&metric=trunk_inclination&from={begin}&to={end}"
                      "&points=5000")[1]
    return sum(bucket["count"] for bucket in said["buckets"])


def spoil(clinic, of):
    """Noise over the pages of a table, or over the head of the file."""
    path = clinic.folder / "history.db"
    pages = [0] if of == "head" else [root - 1 for (root,) in ask_file(
        clinic, f"SELECT rootpage FROM sqlite_master WHERE tbl_name = '{of}' AND rootpage > 0")]
    with open(path, "r+b") as file:
        for page in pages:
            file.seek(page * 4096)
            file.write(os.urandom(4096))


def damaged_files(clinic):
    return [f.name for f in clinic.folder.glob("history.db.damaged-*") if f.suffix[-3:].isdigit()]


def wait_rebuilt(clinic):
    wait_for("it is rebuilt",
             lambda: not clinic.ask("/status")[1]["history"]["rebuilding"], 60)


def damage_at_start_is_rebuilt_from_backup_and_recordings(build):
    for of in ("head", "client"):  # met when it is opened; and only when it is read
        with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
            first = open_session(clinic, "room-1", "Ahorn")
            order(clinic, first, "note", text="Kept in the backup.")
            talk(clinic, "room-1", 5)
            wait_for("all samples", lambda: samples(clinic, "posture/p-01") == 50)
            order(clinic, first, "end")
            clinic.stop_hub()
            clinic.start_hub()
            assert clinic.ctl("backup", "now").returncode == 0
            second = open_session(clinic, "room-2", "Birke")
            talk(clinic, "room-2", 7)
            wait_for("all samples", lambda: samples(clinic, "posture/p-02") == 70)
            order(clinic, second, "end")
            clinic.stop_hub()
            spoil(clinic, of)

            clinic.start_hub()
            assert clinic.said("is damaged ("), clinic.log_path.read_text()
            assert clinic.said("rebuilt from backup lumbar-"), clinic.log_path.read_text()
            assert len(damaged_files(clinic)) == 1, damaged_files(clinic)
            complaints = clinic.ask("/health")[1]["complaints"]
            assert any(damaged_files(clinic)[0] in c for c in complaints), complaints
            clinic.browser().until(lambda f: f.HasField("health") and f.health.history_damaged,
                                   "the banner")
            assert [c["name"] for c in clinic.ask("/clients")[1]["clients"]] == ["Ahorn"]
            notes = clinic.ask(f"/sessions/{first}")[1]["notes"]
            assert notes[0]["text"] == "Kept in the backup.", notes
            third = open_session(clinic, "room-3", "Eiche")
            assert third > second, (second, third)  # no number is given twice
            talk(clinic, "room-3", 4)
            wait_rebuilt(clinic)
            for device, count in (("p-01", 50), ("p-02", 70), ("p-03", 40)):
                assert samples(clinic, f"posture/{device}") == count, \
                    (of, device, samples(clinic, f"posture/{device}"))
            found = ask_file(clinic, f"SELECT state, room, client FROM session WHERE id = {second}")
            assert found == [("done", "room-2", None)], found
            note = ask_file(clinic, f"SELECT text FROM session_note WHERE session = {second}")
            assert "Rebuilt from its recording" in note[0][0], note
            alarms = ask_file(clinic, "SELECT device, count(*) FROM alarm GROUP BY 1 ORDER BY 1")
            assert alarms == [("p-01", 1), ("p-02", 1), ("p-03", 1)], alarms
            assert not (clinic.folder / "history.db.rebuilt").exists()
            clinic.stop_hub()
            clinic.start_hub()  # and it is a file as any other
            assert not clinic.said("is damaged ("), clinic.log_path.read_text()
            assert samples(clinic, "posture/p-02") == 70


def forget_accounts(clinic):
    """Recordings as an earlier hub wrote them."""
    for tape in clinic.recordings.iterdir():
        out = clinic.folder / tape.name
        done = clinic.ctl("recording", "export", str(tape), str(out))
        assert done.returncode == 0, done
        out.rename(tape)


def a_session_of_several_tapes_is_one(build):
    """The hub was killed in the middle, and a device came in another's place; beside another room's.
    Nothing of it was noted."""
    two = {"room-1": ["posture/p-01", "posture/p-03"], "room-2": ["posture/p-02"]}
    with Clinic(build, rooms=two, rules=RULES) as clinic:
        number = open_session(clinic, "room-1", "Ahorn")
        other = open_session(clinic, "room-2", "Birke")
        begin = now_ms()
        talk(clinic, "room-1", 5)
        talk(clinic, "room-2", 5)
        wait_for("all samples", lambda: samples(clinic, "posture/p-01") == 50
                 and samples(clinic, "posture/p-02") == 50)
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        middle = now_ms()
        clinic.device("posture", "p-03").send(trunk_inclination=[10.0] * 10)
        wait_for("all samples", lambda: samples(clinic, "posture/p-03") == 10)
        for session in (number, other):
            order(clinic, session, "end")
        clinic.stop_hub()
        forget_accounts(clinic)
        spoil(clinic, "head")
        clinic.start_hub()
        wait_for("it is set aside", lambda: clinic.said("is damaged ("))
        wait_rebuilt(clinic)
        devices = ask_file(clinic, "SELECT kind || '/' || name, from_ms, to_ms FROM session_device"
                                   f" WHERE session = {number} ORDER BY name")
        assert [row[0] for row in devices] == two["room-1"], devices
        (_, first, until), (_, from_ms, last) = devices
        assert begin - 2000 < first <= until < middle + 2000 and middle - 2000 < from_ms <= last, \
            (begin, middle, devices)
        found = ask_file(clinic, "SELECT id, room, started_ms, ended_ms FROM session ORDER BY id")
        assert [row[:2] for row in found] == [(number, "room-1"), (other, "room-2")], found
        assert found[0][2:] == (first, last), (found, devices)


def damage_at_work_costs_nothing_that_the_hub_knows(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        first = open_session(clinic, "room-1", "Ahorn")
        talk(clinic, "room-1", 5)
        wait_for("all samples", lambda: samples(clinic, "posture/p-01") == 50)
        order(clinic, first, "end")
        clinic.stop_hub()
        clinic.start_hub()
        assert clinic.ctl("backup", "now").returncode == 0
        second = open_session(clinic, "room-2", "Birke")
        order(clinic, second, "note", text="Since the backup.")
        talk(clinic, "room-2", 5, straight=False)  # its alarm stands
        wait_for("all samples", lambda: samples(clinic, "posture/p-02") == 50)
        clinic.stop_hub()  # all of it is in the file, and none in its log
        clinic.start_hub()
        talk(clinic, "room-2", 3, straight=False)
        spoil(clinic, "session_note")
        failed = clinic.ctl("backup", "now")  # reads all of it
        assert failed.returncode == 1 and "malformed" in failed.stderr, failed
        wait_for("it is set aside and rebuilt", lambda: clinic.said("rebuilt from backup"), 40)
        wait_rebuilt(clinic)
        wait_for("who was treated, and what stands", lambda: ask_file(
            clinic, "SELECT (SELECT count(*) FROM client), (SELECT count(*) FROM alarm"
                    " WHERE presence <> 0), (SELECT count(*) FROM session WHERE state = 'running')")
            == [(2, 1, 1)])
        talk(clinic, "room-2", 2, straight=False)
        wait_for("all samples", lambda: samples(clinic, "posture/p-02") == 100)

        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert clinic.said(f"session {second} in Room-2 goes on"), clinic.log_path.read_text()
        session = clinic.ask(f"/sessions/{second}")[1]
        assert session["client"] == "Birke" and session["state"] == "running", session
        assert session["notes"][0]["text"] == "Since the backup.", session
        assert {c["name"] for c in clinic.ask("/clients")[1]["clients"]} == {"Ahorn", "Birke"}
        assert sum(a["rule"] == "bent" for a in clinic.ask("/alarms")[1]["alarms"]) == 1
        assert samples(clinic, "posture/p-01") == 50
        assert samples(clinic, "posture/p-02") == 100
        assert clinic.ctl("backup", "now").returncode == 0

        (clinic.folder / damaged_files(clinic)[0]).rename(clinic.folder / "looked-at")
        clinic.stop_hub()
        clinic.start_hub()
        assert clinic.ask("/health")[1]["complaints"] == []


def without_a_backup_recordings_are_what_there_is(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        session = open_session(clinic, "room-2", "Birke")
        talk(clinic, "room-2", 7)
        wait_for("all samples", lambda: samples(clinic, "posture/p-02") == 70)
        order(clinic, session, "end")
        clinic.stop_hub()
        spoil(clinic, "head")
        clinic.ring.unlink()  # and a power cut
        clinic.start_hub()
        assert clinic.said("there is no backup to rebuild"), clinic.log_path.read_text()
        talk(clinic, "room-1", 3)
        wait_rebuilt(clinic)
        assert samples(clinic, "posture/p-02") == 70, samples(clinic, "posture/p-02")
        assert samples(clinic, "posture/p-01") == 30
        assert ask_file(clinic, "SELECT id FROM session") == [(session,)]


PLAN = """
name: back
phases:
  - {kind: massage, title: Massage, time: 1 min,
     targets: [{metric: massage_pressure, between: [20 kPa, 60 kPa]}]}
  - {kind: rest, time: 1 min}
"""
TOTALS = RULES + """derived:
  - {name: bends, title: Bends, metric: trunk_inclination, count: {above: 45 deg}, reset: session}
"""
RUNNING = 2  # of a massage device


def treated(clinic, client, massage):
    """A session with all that can be said of one."""
    if client not in [c["name"] for c in clinic.ask("/clients")[1]["clients"]]:
        assert clinic.ask("/clients", "POST", {"name": client})[0] == 201
    number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                              "client": client, "plan": "back"})[1]["id"]
    order(clinic, number, "pain", pain=6, when="before")
    order(clinic, number, "start")
    order(clinic, number, "note", text="Tender <left>.")
    order(clinic, number, "marker")
    for _ in range(3):
        massage.send(massage_pressure=[30.0] * 5 + [70.0] * 5, step_ms=100, state=RUNNING, region=1)
        time.sleep(1)
    order(clinic, number, "next")
    order(clinic, number, "adverse", text="Dizzy.")
    order(clinic, number, "rmdq", score=9)
    return number


def record_of(clinic, session):
    """What the store has of it, less what a recording does not know."""
    status, record = clinic.ask(f"/sessions/{session}/record")
    assert status == 200, record
    return {name: value for name, value in record.items()
            if name not in ("notes", "client", "changes", "alarms")}, record


def lose_all_but_recordings(clinic):
    clinic.stop_hub()
    spoil(clinic, "head")
    clinic.ring.unlink()
    (clinic.folder / "spool").unlink()
    clinic.start_hub()
    wait_for("it is set aside", lambda: clinic.said("is damaged ("))
    wait_rebuilt(clinic)


def not_for_others(clinic, session):
    """A recording that goes with a bug report has nothing of what was said."""
    tape = next(line["file"] for line in map(json.loads, clinic.ctl(
        "recording", "ls", "--json").stdout.splitlines()) if line["session"] == session)
    for name, options, noted in (("told.rec", ["--account"], True), ("sent.rec", [], False)):
        out = str(clinic.folder / name)
        done = clinic.ctl("recording", "export", *options, tape, out)
        assert done.returncode == 0, done
        verified = json.loads(clinic.ctl("recording", "verify", "--json", out).stdout)
        assert verified["good"] and (verified["accounts"] > 0) == noted, (name, verified)


def what_was_done_in_a_session_comes_back(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, plans={"back": PLAN}) as clinic:
        massage = clinic.device("massage", "m-01")
        massage.send(skin_temperature=[30.0])
        first = treated(clinic, "Ahorn", massage)
        order(clinic, first, "end")
        order(clinic, first, "pain", pain=3, when="after")  # while it is the last of its room
        order(clinic, first, "odi", score=22)
        second = treated(clinic, "Ahorn", massage)
        order(clinic, second, "abort", reason="Fire drill.")
        third = treated(clinic, "Birke", massage)  # and this one does not end
        clinic.stop_hub()
        clinic.start_hub()
        before = {number: record_of(clinic, number) for number in (first, second, third)}
        assert before[first][1]["pain"]["after"] == 3 and before[first][1]["doses"], before[first]
        not_for_others(clinic, first)
        lose_all_but_recordings(clinic)
        for number in (first, second):
            record, whole = record_of(clinic, number)
            assert record == before[number][0], (record, before[number][0])
            assert whole["client"] is None, whole["client"]
            *notes, last = whole["notes"]
            assert notes == before[number][1]["notes"], (notes, before[number][1]["notes"])
            assert "as it was noted there. Calibrations" in last["text"], last
        record, whole = record_of(clinic, third)
        assert whole["state"] == "done" and whole["pain"]["before"] == 6 and whole["rmdq"] == 9, whole
        assert whole["ended"] is not None and len(whole["notes"]) == 3, whole
        assert "before it ended" in whole["notes"][-1]["text"], whole["notes"]


def a_session_is_its_clients_again_where_the_client_is_known(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, plans={"back": PLAN}) as clinic:
        massage = clinic.device("massage", "m-01")
        massage.send(skin_temperature=[30.0])
        assert clinic.ask("/clients", "POST", {"name": "Ahorn"})[0] == 201
        assert clinic.ctl("backup", "now").returncode == 0
        numbers = {}
        for client in ("Ahorn", "Birke"):
            numbers[client] = treated(clinic, client, massage)
            order(clinic, numbers[client], "end")
        clinic.stop_hub()
        spoil(clinic, "head")
        clinic.start_hub()
        wait_for("it is set aside", lambda: clinic.said("rebuilt from backup"))
        assert clinic.ask("/clients", "POST", {"name": "Eiche"})[0] == 201  # has the number of Birke
        wait_rebuilt(clinic)
        found = ask_file(clinic, "SELECT s.id, c.alias, s.pain_before FROM session s"
                                 " LEFT JOIN client c ON c.id = s.client ORDER BY s.id")
        assert found == [(numbers["Ahorn"], "Ahorn", 6), (numbers["Birke"], None, 6)], found
        aliases = ask_file(clinic, "SELECT alias FROM client ORDER BY alias")
        assert aliases == [("Ahorn",), ("Eiche",)], aliases


def a_number_that_was_given_again_is_nobody_elses(build):
    """Where a history is lost with its backup, numbers of clients begin anew: then recordings of two who
    have the same one are read together, and a session is of who is known by it, or of nobody."""
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        def treat(client, room):
            status, made = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB", "client": client})
            assert status == 201, made
            order(clinic, made["id"], "start")
            talk(clinic, room, 3)
            order(clinic, made["id"], "end")
            wait_for("its recording is whole", lambda: not list(clinic.recordings.glob("*.part")))
            return made["id"]
        assert clinic.ask("/clients", "POST", {"name": "Ahorn"})[0] == 201
        assert clinic.ctl("backup", "now").returncode == 0
        of_ahorn = treat("Ahorn", "room-1")
        backups, away = clinic.folder / "backups", clinic.folder / "away"
        backups.rename(away)
        lose_all_but_recordings(clinic)
        assert clinic.ask("/clients")[1]["clients"] == []
        assert clinic.ask("/clients", "POST", {"name": "Birke"})[0] == 201
        of_birke = treat("Birke", "room-2")
        assert ask_file(clinic, "SELECT id, client FROM session") == [(of_ahorn, None), (of_birke, 1)]
        away.rename(backups)
        lose_all_but_recordings(clinic)
        assert [one["name"] for one in clinic.ask("/clients")[1]["clients"]] == ["Ahorn"]
        found = ask_file(clinic, "SELECT id, client FROM session ORDER BY id")
        assert found == [(of_ahorn, 1), (of_birke, None)], found


def totals_go_on_over_the_tapes_of_a_session(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"], "room-2": []}, rules=TOTALS) as clinic:
        number = open_session(clinic, "room-1", "Ahorn")
        device = clinic.device("posture", "p-01")

        def bend(times, wanted):
            for _ in range(times):
                device.send(trunk_inclination=[60.0] * 5 + [10.0] * 5)
                time.sleep(0.25)
            wait_for("they are counted", lambda: clinic.ask("/devices/posture/p-01")[1]["values"]
                     .get("bends", {}).get("value") == wanted)
        bend(3, 3)
        clinic.write_config(rooms={"room-1": [], "room-2": ["posture/p-01"]})
        order(clinic, number, "move", room="room-2")
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("the wearable in its session again", lambda: len(
            clinic.ask(f"/sessions/{number}")[1]["devices"]) == 2)
        bend(2, 5)
        order(clinic, number, "end")
        lose_all_but_recordings(clinic)
        assert clinic.said("2 recordings have"), clinic.log_path.read_text()
        begin, end = (datetime.datetime.fromtimestamp(now_ms() / 1000 + s, datetime.timezone.utc)
                      .strftime("%Y-%m-%dT%H:%M:%SZ") for s in (-600, 5))
        buckets = clinic.ask(f"/history?device=posture/p-01&metric=bends&from={begin}&to={end}"
                             "&points=5000")[1]["buckets"]
        assert max(bucket["max"] for bucket in buckets) == 5, buckets
        assert [b["max"] for b in buckets] == sorted(b["max"] for b in buckets), buckets


if __name__ == "__main__":
    run([damage_at_start_is_rebuilt_from_backup_and_recordings,
         a_session_of_several_tapes_is_one,
         damage_at_work_costs_nothing_that_the_hub_knows,
         without_a_backup_recordings_are_what_there_is,
         what_was_done_in_a_session_comes_back,
         a_session_is_its_clients_again_where_the_client_is_known,
         a_number_that_was_given_again_is_nobody_elses,
         totals_go_on_over_the_tapes_of_a_session])
