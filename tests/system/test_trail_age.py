"""The audit trail grows old: its beginning goes, what is left still verifies, and who takes away more
than the hub did, or moves what is kept in its place, is found."""
import hashlib
import json
import sqlite3
import time

from clinic import Clinic, run, wait_for
from test_clock import Clock

OLD, STEP = 1200, 500  # more than goes at a time (daemon/audit_prune.c)
DAY_MS = 86400000
FIELDS = ("who", "role", "door", "what", "about", "why")


def sql(clinic):
    return sqlite3.connect(f"{clinic.folder}/history.db", isolation_level=None)


def chain(before, line):
    """The digest of a line, made as core/audit.h says it."""
    text = f'{before}{{"id":{line["id"]},"at_ms":{line["at_ms"]}'
    text += "".join(f',"{name}":{json.dumps(line[name])}' for name in FIELDS)
    return hashlib.sha256(f'{text},"outcome":{line["outcome"]}}}'.encode()).hexdigest()


def grow_old(clinic, count, days, apart_ms=1):
    """A trail of so many lines, so old, in the place of what is there; the hub does not run."""
    before, at_ms = "0" * 64, int(time.time() * 1000) - days * DAY_MS
    file = sql(clinic)
    file.execute("BEGIN")
    file.execute("DELETE FROM audit")
    for number in range(1, count + 1):
        line = {"id": number, "at_ms": at_ms + number * apart_ms, "who": "anna", "role": "lead", "door": "page",
                "what": "POST /sessions", "about": "room-1", "why": "", "outcome": 201}
        before = chain(before, line)
        file.execute("INSERT INTO audit (id, at_ms, who, role, door, what, about, outcome, why, hash)"
                     " VALUES (?,?,?,?,?,?,?,?,?,?)",
                     (line["id"], line["at_ms"], line["who"], line["role"], line["door"],
                      line["what"], line["about"], line["outcome"], line["why"], before))
    file.execute("INSERT OR REPLACE INTO audit_head VALUES (1, ?, ?)", (count, before))
    file.execute("COMMIT")
    file.close()


def first_line(clinic):
    file = sql(clinic)
    first = file.execute("SELECT min(id) FROM audit").fetchone()[0]
    file.close()
    return first


def pruned(clinic, added_s=0, **trail):
    """A hub that finds an old trail, by a clock that is so far ahead; the clock."""
    clock = Clock(clinic)
    clinic.start_hub()
    clinic.stop_hub()
    grow_old(clinic, OLD, 2500, **trail)
    clock.set(added_s)
    clinic.start_hub(**clock.environment)
    return clock


def what_is_left_verifies(build):
    with Clinic(build, start=False) as clinic:
        clinic.write_config()
        pruned(clinic)
        wait_for("old lines go", lambda: first_line(clinic) == OLD + 1, 30)
        assert clinic.ask("/clients", "POST", {"name": "K-1"})[0] == 201
        said = clinic.ask("/audit")[1]
        assert said["pruned"]["id"] == OLD and said["lines"][0]["id"] == OLD + 1, said["pruned"]
        told = [line["about"] for line in said["lines"] if line["what"] == "trail pruned"]
        assert [int(words.split()[2].rstrip(",")) for words in told] == [STEP, 2 * STEP, OLD], told
        done = clinic.ctl("audit", "verify")
        assert done.returncode == 0 and f"lines to {OLD}, until " in done.stdout, done
        told = json.loads(clinic.ctl("audit", "verify", "--json").stdout)
        assert told["pruned"] == OLD and told["faults"] == 0, told
        clinic.stop_hub()  # it is kept
        clinic.start_hub()
        assert clinic.ctl("audit", "verify").returncode == 0
        who_takes_more_is_found(clinic)


def who_takes_more_is_found(clinic):
    file = clinic.folder / "trail.jsonl"
    assert clinic.ctl("audit", "export", "--out", str(file)).returncode == 0
    anchor, *lines = [json.loads(line) for line in file.read_text().splitlines()]

    def verified(*changed):
        file.write_text("".join(json.dumps(line) + "\n" for line in changed))
        return clinic.ctl("audit", "verify", str(file), config=False)

    def moved(**more):
        return {"pruned": {**anchor["pruned"], **more}}
    assert verified(anchor, *lines).returncode == 0
    beyond = moved(id=lines[0]["id"], hash=lines[0]["hash"])
    for what, changed, words in [
            ("no anchor", lines, "line 1 is missing"),
            ("its digest", [moved(hash="0" * 64), *lines], f"line {OLD + 1} was changed"),
            ("its number", [moved(id=OLD - 1), *lines], f"line {OLD} is missing"),
            ("a line behind it", [anchor, *lines[1:]], f"line {OLD + 1} is missing"),
            ("all up to another", [beyond, *lines[1:]], "the trail does not say"),
            ("twice", [anchor, lines[0], anchor, *lines[1:]], "is no line of a trail")]:
        done = verified(*changed)
        assert done.returncode == 1 and words in done.stdout, (what, done)
    # The same in the file of a hub.
    clinic.stop_hub()
    taken = sql(clinic)
    taken.execute("DELETE FROM audit WHERE id = ?", (OLD + 1,))
    taken.execute("UPDATE audit_anchor SET id = ?, hash = ?", (OLD + 1, lines[0]["hash"]))
    taken.close()
    clinic.start_hub()
    done = clinic.ctl("audit", "verify")
    assert done.returncode == 1 and "the trail does not say" in done.stdout, done


def what_is_to_be_kept_for_ever_is(build):
    with Clinic(build, start=False) as clinic:
        clinic.write_config()
        pruned(clinic)
        wait_for("they go by the default", lambda: first_line(clinic) == OLD + 1, 30)
        clinic.stop_hub()
        grow_old(clinic, OLD, 2500)
        file = sql(clinic)
        file.execute("DELETE FROM audit_anchor")
        file.close()
        config = clinic.folder / "lumbard.yaml"
        config.write_text(config.read_text().replace("history:\n", "history:\n  audit_days: 0\n"))
        clinic.start_hub()
        assert clinic.ask("/clients", "POST", {"name": "K-2"})[0] == 201
        done = clinic.ctl("audit", "verify")
        assert done.returncode == 0 and "have gone" not in done.stdout, done
        assert first_line(clinic) == 1


def a_clock_that_nobody_vouches_for_makes_nothing_old(build):
    with Clinic(build, start=False) as clinic:
        clinic.write_config()
        clock = pruned(clinic, added_s=3600)
        wait_for("it has looked", lambda: clinic.ask("/status")[1]["uptime_s"] >= 3)
        assert first_line(clinic) == 1 and not clinic.said("for their age")
        clock.set(0)  # hub time is still the other one
        wait_for("a complaint", lambda: clinic.ask("/status")[1]["clock"]["off_ms"] != 0)
        time.sleep(1)
        assert first_line(clinic) == 1 and not clinic.said("for their age")
        clinic.stop_hub()
        clinic.start_hub(**clock.environment)
        wait_for("they go by a clock that is right", lambda: first_line(clinic) == OLD + 1, 30)


def a_day_takes_a_week_of_it(build):
    with Clinic(build, start=False) as clinic:
        clinic.write_config()
        clock = pruned(clinic, apart_ms=3600000)
        wait_for("a week goes", lambda: first_line(clinic) == 1 + 7 * 24, 30)
        time.sleep(3)  # it looks again within a second, where there is more
        assert first_line(clinic) == 1 + 7 * 24
        assert clinic.ctl("audit", "verify").returncode == 0
        clinic.stop_hub()
        clinic.start_hub(**clock.environment)
        wait_for("another one", lambda: first_line(clinic) == 1 + 2 * 7 * 24, 30)


if __name__ == "__main__":
    run([what_is_left_verifies, what_is_to_be_kept_for_ever_is,
         a_clock_that_nobody_vouches_for_makes_nothing_old, a_day_takes_a_week_of_it])
