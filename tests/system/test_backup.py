#!/usr/bin/python3
"""Backups, with the real hub: made while it is at work, verified, put back where no hub runs, here
and on another hub; what cannot be read whole is refused whole."""
import json
import pathlib
import re
import shutil
import sqlite3
import time

from clinic import Clinic, run, wait_for

ROOMS = {"room-1": ["posture/p-01"], "room-2": ["posture/p-02"]}
RULES = """rules:
  - {name: bent, title: Bent, metric: trunk_inclination, above: 45 deg, priority: low, text: Bent}
"""


def number(path, sql):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchone()[0]
    finally:
        db.close()


def order(clinic, session, name, **body):
    status, said = clinic.ask(f"/sessions/{session}/{name}", "POST", body)
    assert status == 200, (name, said)


def treat(clinic, client, room="room-1"):
    """A session of a client with a note, an alarm and samples; its number."""
    status, said = clinic.ask("/clients", "POST", {"name": client, "goals": ["Sit for an hour"]})
    assert status == 201, said
    status, said = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB",
                                                    "client": client})
    assert status == 201, said
    session = said["id"]
    order(clinic, session, "start")
    order(clinic, session, "pain", pain=6, when="before")
    order(clinic, session, "note", text=f"Of {client}.")
    device = clinic.device(*ROOMS[room][0].split("/"))
    for _ in range(5):
        device.send(trunk_inclination=[60.0] * 10)
    device.send(trunk_inclination=[10.0] * 10)
    return session


def make_backup(clinic, *options):
    done = clinic.ctl("backup", "now", *options, "--json")
    assert done.returncode == 0, done
    newest = json.loads(done.stdout)["backups"][-1]
    path = clinic.folder / "backups" / newest["name"]
    assert path.stat().st_size == newest["bytes"]
    return path


def all_of(clinic):
    """What the hub tells of the clients and sessions that it knows."""
    return {c["name"]: clinic.ask(f"/clients/{c['name']}/course")[1]["sessions"]
            for c in clinic.ask("/clients")[1]["clients"]}


def a_backup_of_a_hub_at_work_goes_back_here_and_on_another_hub(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        first = treat(clinic, "Ahorn")
        order(clinic, first, "end")
        wait_for("the alarm on disk",
                 lambda: number(clinic.folder / "history.db", "SELECT count(*) FROM alarm") == 1)
        backup = make_backup(clinic)
        assert clinic.said("is made and verified"), clinic.log_path.read_text()
        told = clinic.ctl("backup", "ls").stdout
        assert backup.name in told and "Lumbar 0." in told, told
        assert clinic.ctl("backup", "verify").returncode == 0
        assert clinic.ask("/status")[1]["backup"]["count"] == 1
        before = all_of(clinic)
        assert [s["id"] for s in before["Ahorn"]] == [first], before

        refused = clinic.ctl("backup", "restore", backup.name)
        assert refused.returncode == 1 and "the hub runs: stop it first" in refused.stderr, refused

        second = treat(clinic, "Birke", "room-2")  # what comes after it is not in it
        order(clinic, second, "end")
        clinic.stop_hub()
        restored = clinic.ctl("backup", "restore", backup.name)
        assert restored.returncode == 0 and "is kept as" in restored.stdout, restored
        kept = list(clinic.folder.glob("history.db.before-*"))
        assert len(kept) == 1, kept
        assert number(kept[0], "SELECT count(*) FROM client") == 2
        assert number(clinic.folder / "history.db", "SELECT count(*) FROM client") == 1
        clinic.start_hub()
        assert not clinic.said("damaged"), clinic.log_path.read_text()
        assert all_of(clinic) == before
        assert clinic.ask("/status")[1]["complaints"] == []

        with Clinic(build, rooms=ROOMS, rules=RULES, start=False) as other:
            (other.folder / "backups").mkdir()
            shutil.copy(backup, other.folder / "backups")
            assert other.ctl("backup", "restore", backup.name).returncode == 0
            other.start_hub()
            assert all_of(other) == before
            goals = other.ask("/clients/Ahorn")[1]["goals"]
            assert goals == ["Sit for an hour"], goals
            session = treat(other, "Eiche", "room-2")  # and goes on with numbers of its own
            assert session > first, (session, first)


def what_has_changed_goes_back_with_its_base_only(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        order(clinic, treat(clinic, "Ahorn"), "end")
        base = make_backup(clinic, "--changes")
        assert base.suffix == ".backup", "there is none before it"
        order(clinic, treat(clinic, "Birke", "room-2"), "end")
        time.sleep(1.1)  # another second has another name
        small = make_backup(clinic, "--changes")
        before = all_of(clinic)
        assert small.suffix == ".changes" and list(before) == ["Ahorn", "Birke"], (small, before)
        listed = {one["name"]: one["base"] for one in json.loads(clinic.ctl("backup", "ls", "--json").stdout)}
        assert listed == {base.name: None, small.name: base.name}, listed
        assert f"what has changed since {base.name}" in clinic.ctl("backup", "ls").stdout
        whole = {one["name"]: one["whole"] for one in clinic.ask("/backups")[1]["backups"]}
        assert whole == {base.name: True, small.name: False}, whole
        with Clinic(build, rooms=ROOMS, rules=RULES, start=False) as other:
            (other.folder / "backups").mkdir()
            shutil.copy(small, other.folder / "backups")
            for command in ("verify", "restore"):
                refused = other.ctl("backup", command, small.name)
                assert refused.returncode == 1 and "which is not beside it" in refused.stderr, refused
            assert not (other.folder / "history.db").exists()
            shutil.copy(base, other.folder / "backups")
            assert other.ctl("backup", "verify", small.name).returncode == 0
            restored = other.ctl("backup", "restore", small.name)
            assert restored.returncode == 0, restored
            other.start_hub()
            assert not other.said("damaged"), other.log_path.read_text()
            assert all_of(other) == before
        # The hub itself finds back by both.
        clinic.stop_hub()
        with open(clinic.folder / "history.db", "r+b") as file:
            file.write(b"\x5a" * 4096)
        clinic.start_hub()
        assert clinic.said("rebuilt from backup " + small.name), clinic.log_path.read_text()
        wait_for("all of it", lambda: clinic.said(f"all of {small} is in the history") or
                 clinic.said(f"{small.name} is in the history"))
        assert all_of(clinic) == before


def what_the_page_changed_of_the_rules_comes_back_with_it(build):
    """In its place where there is none and the rules take it; beside it where there is another."""
    changed = "rules:\n  - {name: bent, above: 50 deg}\n"
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        backup_without = make_backup(clinic)
        status, said = clinic.ask("/rules/changes", "PUT", {"text": changed}, headers={"If-Match": "*"})
        assert status == 200, said
        time.sleep(1.1)  # another second has another name
        backup = make_backup(clinic, "--changes")
        assert backup.suffix == ".changes"
        now = clinic.folder / "page.yaml"
        clinic.stop_hub()

        def restored(clinic, name=backup.name):
            done = clinic.ctl("backup", "restore", name, "--json")
            assert done.returncode == 0, done
            return json.loads(done.stdout).get("rules")
        assert restored(clinic) is None, "they are those that are there"
        for _ in range(3):  # some of them within a second
            assert restored(clinic) is None
        kept = list(clinic.folder.glob("history.db.before-*"))
        assert len(kept) == 4, f"what was there before each of them is kept: {kept}"
        other = changed.replace("50", "55")
        now.write_text(other)
        beside = pathlib.Path(f"{now}.of-backup")
        assert restored(clinic) == str(beside) and beside.read_text() == changed
        assert now.read_text() == other
        beside.unlink()
        assert restored(clinic, backup_without.name) is None and not beside.exists()
        for rules, where in ((RULES, "page.yaml"), (RULES.replace("name: bent", "name: bowed"),
                                                    "page.yaml.of-backup")):
            with Clinic(build, rooms=ROOMS, rules=rules, start=False) as elsewhere:
                shutil.copytree(clinic.folder / "backups", elsewhere.folder / "backups")
                said = elsewhere.ctl("backup", "restore", backup.name).stdout
                assert str(elsewhere.folder / where) in said, said
                reason = re.search(r"of-backup, for .*page\.yaml:2:.*bent", said)
                assert bool(reason) == (where != "page.yaml"), said
                assert [path.name for path in elsewhere.folder.glob("page.yaml*")] == [where]
                elsewhere.start_hub()
                assert elsewhere.ask("/rules/changes")[1]["text"] == \
                    (changed if where == "page.yaml" else "")


def what_is_not_whole_is_refused_and_the_hub_starts_with_what_it_had(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        order(clinic, treat(clinic, "Ahorn"), "end")
        backup = make_backup(clinic)
        clinic.stop_hub()
        whole = backup.read_bytes()

        newer = clinic.folder / "newer.db"
        shutil.copy(clinic.folder / "history.db", newer)
        db = sqlite3.connect(newer)
        db.execute("PRAGMA user_version = 4711")
        db.commit()
        db.close()
        torn = backup.with_name("lumbar-20260101T000000Z.backup")
        cases = {
            "its checksum is another one": whole[:5000] + b"\x5a" + whole[5001:],
            "it is no backup, or its end is missing": whole[:-1],
            "it is no backup": newer.read_bytes(),
            "its trailer is not what was written": whole[:-128] + b"LUMBAKUP" + bytes(120),
        }
        before = (clinic.folder / "history.db").read_bytes()
        for words, content in cases.items():
            torn.write_bytes(content)
            for command in ("verify", "restore"):
                said = clinic.ctl("backup", command, torn.name)
                assert said.returncode == 1 and words in said.stderr, (command, words, said)
        assert clinic.ctl("backup", "restore", "no-such").returncode == 1
        assert (clinic.folder / "history.db").read_bytes() == before
        assert not list(clinic.folder.glob("history.db.*before*"))
        torn.unlink()
        assert clinic.ctl("backup", "verify", backup.name).returncode == 0
        clinic.start_hub()
        assert list(all_of(clinic)) == ["Ahorn"]


def a_backup_that_cannot_be_made_is_said(build):
    with Clinic(build, rooms=ROOMS, start=False) as clinic:
        pathlib.Path(clinic.folder / "backups").write_text("a file in its place")
        clinic.start_hub()
        failed = clinic.ctl("backup", "now")
        assert failed.returncode == 1 and "no backup in" in failed.stderr, failed
        complaints = clinic.ask("/health")[1]["complaints"]
        assert any("The last backup failed" in c for c in complaints), complaints
        pathlib.Path(clinic.folder / "backups").unlink()
        make_backup(clinic)
        assert clinic.ask("/health")[1]["complaints"] == []


if __name__ == "__main__":
    run([a_backup_of_a_hub_at_work_goes_back_here_and_on_another_hub,
         what_has_changed_goes_back_with_its_base_only,
         what_the_page_changed_of_the_rules_comes_back_with_it,
         what_is_not_whole_is_refused_and_the_hub_starts_with_what_it_had,
         a_backup_that_cannot_be_made_is_said])
