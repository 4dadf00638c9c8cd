#!/usr/bin/python3
"""All data of one client: given out whole, and erased whole, with the real hub: rows, what was
measured, recordings, and every copy in any file of the hub's; backups that still hold the client
are named, and bring nobody back."""
import contextlib
import csv
import json
import signal
import sqlite3
import time

from clinic import Clinic, now_ms, run, wait_for

ROOMS = {"room-1": ["posture/p-01"], "room-2": ["posture/p-02"]}
RULES = """rules:
  - {name: bent, title: Bent, metric: trunk_inclination, above: 45 deg, priority: low, text: Bent}
"""
ALIAS, NOTE, GOAL = "Zitterpappel-77", "Kniff beim Aufstehen 4711", "Schwimmen ohne Stechen"
OTHER = "Ahorn-1"


def order(clinic, session, name, **body):
    status, said = clinic.ask(f"/sessions/{session}/{name}", "POST", body)
    assert status == 200, (name, said)


def begin(clinic, room, client, goals=()):
    if client not in [c["name"] for c in clinic.ask("/clients")[1]["clients"]]:
        assert clinic.ask("/clients", "POST", {"name": client, "goals": list(goals)})[0] == 201
    status, said = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB",
                                                    "client": client})
    assert status == 201, said
    order(clinic, said["id"], "start")
    return said["id"]


def talk(clinic, room):
    device = clinic.device(*ROOMS[room][0].split("/"))
    for degrees in (60.0, 60.0, 60.0, 10.0):
        device.send(trunk_inclination=[degrees] * 10)
        time.sleep(0.05)


def treat(clinic, room, client, note="", goals=()):
    session = begin(clinic, room, client, goals)
    order(clinic, session, "pain", pain=6, when="before")
    if note:
        order(clinic, session, "note", text=note)
    talk(clinic, room)
    wait_for("the alarm is over", lambda: not clinic.ask("/alarms")[1]["alarms"])
    order(clinic, session, "end")
    return session


def finished(clinic, count):
    wait_for("its recording is finished", lambda: len(list(
        clinic.recordings.glob("*.rec"))) == count and not list(clinic.recordings.glob("*.part")))


def files_with(clinic, words, *but):
    """Every file of the hub's that holds the words, the log and the broker's own set apart."""
    found = []
    for path in [*clinic.folder.rglob("*"), clinic.ring]:
        if path.is_file() and "/broker/" not in str(path) and not path.name.startswith(but) and \
                words.encode() in path.read_bytes():
            found.append(path.name)
    return found


def all_tables_are_given_out(clinic, document):
    """Each row of a table that names a client or a session, with as many as the file has."""
    with contextlib.closing(sqlite3.connect(clinic.folder / "history.db")) as db:
        client = db.execute("SELECT id FROM client WHERE alias = ?", (ALIAS,)).fetchone()[0]
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = set()
        for table in tables:
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            which = "client = ?1" if "client" in columns else \
                "session IN (SELECT id FROM session WHERE client = ?1)" if "session" in columns else ""
            if not which or table == "erasure":  # who is erased: nobody is told of by name
                continue
            count = db.execute(f"SELECT count(*) FROM {table} WHERE {which}", (client,)).fetchone()[0]
            assert len(document[f"{table}s"]) == count, (table, count, document)
            found.add(table)
    assert {"plan", "session", "session_note", "amendment", "calibration"} <= found, found


def all_of_a_client_is_given_out(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        session = treat(clinic, "room-1", ALIAS, NOTE, [GOAL])
        treat(clinic, "room-2", OTHER, "Of another one.")
        finished(clinic, 2)
        assert clinic.ctl("session", "amend", str(session), "note", "Said later").returncode == 0
        assert clinic.ask("/clients/nobody/export")[0] == 404
        out = clinic.folder / "given-out"
        done = clinic.ctl("client", "export", ALIAS, "--out", str(out))
        # What was said later of the session is on a recording of its own.
        assert done.returncode == 0 and "1 sessions, 2 recordings" in done.stdout, done
        document = json.loads((out / "client.json").read_text())
        assert document["client"][0]["alias"] == ALIAS, document
        assert document["client"][0]["body"]["goals"] == [GOAL], document
        assert [s["id"] for s in document["sessions"]] == [session], document
        assert [n["text"] for n in document["session_notes"]] == [NOTE, "Said later"], document
        assert [a["rule"] for a in document["alarms"]] == ["bent"], document
        assert len(document["alarm_transitions"]) >= 2, document
        assert [a["text"] for a in document["amendments"]] == ["Said later"], document
        all_tables_are_given_out(clinic, document)
        rows = (out / f"session-{session}.csv").read_text()
        assert "trunk_inclination" in rows, rows[:200]
        assert ALIAS in (out / f"session-{session}.html").read_text()
        tape = document["recordings"][0]["name"]
        assert (out / tape).read_bytes() == (clinic.recordings / tape).read_bytes()
        assert document["recordings"][0]["left_out_beyond"] == 0, document["recordings"]
        assert not (out / f"session-{session}.ends.csv").exists()
        assert not [f.name for f in out.iterdir() if OTHER.encode() in f.read_bytes()]
        again = clinic.ctl("client", "export", ALIAS, "--out", str(out))
        assert again.returncode == 1 and "cannot write" in again.stderr, again


def telemetry(device, from_ms, value):
    """A message of now, with a sample each 20 ms since then."""
    rows = (now_ms() - from_ms) // 20 + 1
    device.send(held_from=1, trunk_inclination=[value] * rows)


def values_of(clinic, tape):
    """Samples by value of a tape, as a replay through the plugins has them."""
    found = clinic.ctl("recording", "replay", "--json", str(tape))
    assert found.returncode == 0, found
    return {s["metric"]: s["samples"] for s in map(json.loads, found.stdout.splitlines())
            if s["what"] == "series"}


def ends_of(out, session):
    """The samples that are given beside the recordings, by value."""
    path, counts = out / f"session-{session}.ends.csv", {}
    for row in csv.DictReader(path.open(newline="")) if path.exists() else ():
        if row["metric"] == "trunk_inclination":
            counts[row["value"]] = counts.get(row["value"], 0) + 1
    return counts


def nobody_elses_samples_are_given_out(build):
    """Two clients, one after the other in one room, and a message that has samples of both."""
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        device, sessions, shared_ms = clinic.device("posture", "p-01"), {}, None
        for client, own in ((ALIAS, 11.0), (OTHER, 22.0)):
            sessions[client] = begin(clinic, "room-1", client)
            if shared_ms:
                telemetry(device, shared_ms, 15.0)
            for _ in range(3):
                time.sleep(0.5)
                telemetry(device, now_ms() - 100, own)
            clinic.mqtt.publish(device.topic, b"\xff" * 20)  # of whom, nobody knows
            wait_for("all of them", lambda: clinic.ask("/devices/posture/p-01")[1]["messages"]
                     == device.sequence)
            shared_ms = now_ms()
            time.sleep(0.4)
            order(clinic, sessions[client], "end")
        finished(clinic, 2)
        given = {}
        for client, session in sessions.items():
            out = clinic.folder / f"given-{session}"
            done = clinic.ctl("client", "export", client, "--out", str(out))
            assert done.returncode == 0 and "1 sessions, 1 recordings" in done.stdout, done
            document = json.loads((out / "client.json").read_text())
            tape = document["recordings"][0]
            assert tape["left_out_unreadable"] == 1, tape
            assert tape["bytes"] == (out / tape["name"]).stat().st_size, tape
            assert clinic.ctl("recording", "verify", str(out / tape["name"])).returncode == 0
            counts = values_of(clinic, out / tape["name"])
            assert counts["trunk_inclination"] == 18, (client, counts)  # 3 x 6, all their own
            given[client] = ends_of(out, session)
            assert tape["left_out_beyond"] == (client == OTHER), tape
        # What both had is cut between them: 0.4 s of the first, what came after of the second.
        assert set(given[ALIAS]) == set(given[OTHER]) == {"15"}, given
        assert given[ALIAS]["15"] >= 18 and given[OTHER]["15"] >= 1, given

        with contextlib.closing(sqlite3.connect(clinic.folder / "history.db")) as db, db:
            db.execute("UPDATE session_device SET from_ms = from_ms - 86400000,"
                       " to_ms = to_ms - 86400000 WHERE session = ?", (sessions[OTHER],))
        out = clinic.folder / "given-none"
        done = clinic.ctl("client", "export", OTHER, "--out", str(out))
        assert done.returncode == 1 and "is not given" in done.stderr, done
        assert not list(out.glob("*.rec")) and not list(out.glob("*.ends.csv"))
        assert json.loads((out / "client.json").read_text())["recordings"][0]["given"] is False


def nothing_is_left_of_who_is_erased(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        first = treat(clinic, "room-1", ALIAS, NOTE, [GOAL])
        other = treat(clinic, "room-2", OTHER, "Of another one.")
        second = begin(clinic, "room-1", ALIAS)
        order(clinic, second, "note", text=NOTE)
        status, said = clinic.ask(f"/clients/{ALIAS}/erase", "POST", {})
        assert status == 409 and "end it first" in said["detail"], said
        talk(clinic, "room-1")
        order(clinic, second, "end")
        finished(clinic, 3)
        assert clinic.ctl("backup", "now").returncode == 0
        assert files_with(clinic, ALIAS, "lumbar-"), "there is nothing to be erased"
        backup = next((clinic.folder / "backups").iterdir())

        assert clinic.ctl("client", "erase", ALIAS).returncode == 2  # it wants to be sure
        done = clinic.ctl("client", "erase", ALIAS, "--yes")
        assert done.returncode == 0 and "2 sessions, 2 recordings" in done.stdout, done
        assert f"backup {backup.name} of 20" in done.stdout, done.stdout
        assert clinic.ask("/status")[1]["history"]["erasing"] is False
        for words in (ALIAS, NOTE, GOAL):
            assert not files_with(clinic, words, "lumbar-"), files_with(clinic, words, "lumbar-")
            assert files_with(clinic, words) == [backup.name], files_with(clinic, words)
        assert len(list(clinic.recordings.iterdir())) == 1  # the other client's
        for session in (first, second):
            assert clinic.ask(f"/sessions/{session}")[0] == 404
            assert clinic.ask(f"/sessions/{session}/report")[0] == 404
        assert clinic.ask(f"/clients/{ALIAS}")[0] == 404
        assert clinic.ask(f"/sessions/{other}")[1]["notes"][0]["text"] == "Of another one."
        assert clinic.said("erased by"), clinic.log_path.read_text()
        assert clinic.ctl("client", "erase", ALIAS, "--yes").returncode == 1

        clinic.stop_hub()
        clinic.start_hub()
        assert clinic.ask(f"/clients/{ALIAS}")[0] == 404
        clinic.stop_hub()  # a backup from before brings nobody back
        assert clinic.ctl("backup", "restore", backup.name).returncode == 0
        for kept in clinic.folder.glob("history.db.before-*"):
            kept.unlink()
        assert files_with(clinic, ALIAS, "lumbar-") == ["history.db"]
        clinic.start_hub()
        assert clinic.said("was erased, and is back: erased again")
        assert [c["name"] for c in clinic.ask("/clients")[1]["clients"]] == [OTHER]
        wait_for("no copy is left",
                 lambda: not clinic.ask("/status")[1]["history"]["erasing"], 40)
        assert not files_with(clinic, ALIAS, "lumbar-"), files_with(clinic, ALIAS, "lumbar-")
        assert not files_with(clinic, NOTE, "lumbar-")


def is_whole(clinic, session):
    assert clinic.ask(f"/clients/{ALIAS}")[0] == 200
    assert clinic.ask(f"/sessions/{session}")[1]["client"] == ALIAS
    assert len(list(clinic.recordings.glob("*.rec"))) == 1


def what_is_refused_erases_nothing_and_what_was_begun_is_finished(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        session = treat(clinic, "room-1", ALIAS, NOTE, [GOAL])
        finished(clinic, 1)
        ledger = clinic.folder / "history.db.erased"
        ledger.mkdir()
        status, said = clinic.ask(f"/clients/{ALIAS}/erase", "POST", {})
        assert status == 500 and "nothing is erased" in said["detail"], (status, said)
        is_whole(clinic, session)
        clinic.stop_hub()
        ledger.rmdir()
        clinic.start_hub()
        is_whole(clinic, session)
        again = begin(clinic, "room-2", ALIAS)  # nor is anybody held back

        clinic.stop_hub(signal.SIGKILL)  # as if killed once it was in the ledger
        with contextlib.closing(sqlite3.connect(clinic.folder / "history.db")) as db:
            number, created = db.execute("SELECT id, created_ms FROM client").fetchone()
        ledger.write_text(f"{number} {created} {created}\n")
        clinic.start_hub()
        assert clinic.said("was erased, and is back: erased again")
        assert clinic.ask(f"/clients/{ALIAS}")[0] == 404
        assert not list(clinic.recordings.glob("*.rec"))
        for number in (session, again):
            wait_for("it is gone", lambda: clinic.ask(f"/sessions/{number}")[0] == 404)
        begin(clinic, "room-2", OTHER)
        wait_for("no copy is left",
                 lambda: not clinic.ask("/status")[1]["history"]["erasing"], 40)
        clinic.stop_hub()
        assert not files_with(clinic, ALIAS), files_with(clinic, ALIAS)


if __name__ == "__main__":
    run([all_of_a_client_is_given_out, nobody_elses_samples_are_given_out,
         nothing_is_left_of_who_is_erased,
         what_is_refused_erases_nothing_and_what_was_begun_is_finished])
