"""What is told of a session afterwards: the page, the table, the samples, the FHIR bundle."""
import csv
import datetime
import html
import io
import json
import re
import signal
import sqlite3
import time

from clinic import Clinic, now_ms, run, wait_for

RUNNING = 2  # of a massage device
PLAN = """
name: back
title: Lower <back> & more
limits: [{metric: skin_temperature, above: 41 Cel}]
phases:
  - {kind: massage, title: Massage, time: 1 min,
     targets: [{metric: massage_pressure, between: [20 kPa, 60 kPa]}]}
  - {kind: rest, time: 1 min}
"""
RULES = """
rules:
  - {name: hot, title: Skin is warm, metric: skin_temperature, above: 42 Cel, priority: medium,
     text: "Skin {value}."}
"""


def fetch(clinic, path):
    """An answer as it is: status, headers, body."""
    import http.client
    door = http.client.HTTPConnection("127.0.0.1", clinic.web_port, timeout=20)
    door.request("GET", "/api/v1" + path)
    answer = door.getresponse()
    said = answer.read().decode()
    door.close()
    return answer.status, answer.headers, said


def order(clinic, number, name, **body):
    status, said = clinic.ask(f"/sessions/{number}/{name}", "POST", body)
    assert status == 200, (name, said)
    return said


def treat(clinic):
    """A session of some seconds, with all that a report can tell of."""
    massage, posture = clinic.device("massage", "m-01"), clinic.device("posture", "p-01")
    assert clinic.ask("/clients", "POST", {"name": "A-17"})[0] == 201
    posture.send(trunk_inclination=[5.0] * 5)
    number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                              "client": "A-17", "plan": "back"})[1]["id"]
    order(clinic, number, "pain", pain=6, when="before")
    order(clinic, number, "start")
    order(clinic, number, "note", text="Tender <left> & \"sore\".")
    order(clinic, number, "marker")
    for second in range(4):
        massage.send(skin_temperature=[40.0 + second] * 10, massage_pressure=[30.0 + 10 * second] * 10,
                     step_ms=100, state=RUNNING, region=1)
        posture.send(trunk_inclination=[10.0 + second] * 10, step_ms=100)
        time.sleep(1)
    wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])
    order(clinic, number, "next")
    order(clinic, number, "adverse", text="Dizzy.")
    order(clinic, number, "rmdq", score=9)
    order(clinic, number, "end")
    order(clinic, number, "pain", pain=3, when="after")
    return number


def words_of(page):
    """What people read of a page."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


def a_page_tells_all_of_a_session_and_survives_restarts(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01", "posture/p-01"]}, plans={"back": PLAN},
                rules=RULES) as clinic:
        number = treat(clinic)
        status, headers, page = fetch(clinic, f"/sessions/{number}/report")
        assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8", headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'; style-src 'sha256-" in policy and "script" not in policy, policy
        assert policy.startswith(html.unescape(
            re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])), policy
        assert "<script" not in page and " style=" not in page and "http" not in re.sub(
            "http-equiv", "", page), "it asks for something from outside"
        said = words_of(page)
        for words in ["Treatment report 1", "A-17", "AB", "Room-1", "Lower <back> & more", "done",
                      "Adverse event: Dizzy.", "6 before", "3 after", "Less pain, by as much as",
                      "Roland-Morris (RMDQ, 0 to 24) 9", "Massage 0:0", "Rest", "1:00",
                      'Tender <left> & "sore".', "⚑ marker", "massage/m-01", "posture/p-01",
                      "Skin temperature limit ≤ 41.0 °C, all phases",
                      "Massage pressure target 20.0 … 60.0 kPa, Massage 100 %",
                      "lower back left", "30.0 … 60.0 kPa", "kPa·min", "Skin is warm", "medium",
                      "40.0 … 43.0 °C"]:
            assert words in said, (words, said)
        assert page.count("<svg") == 3, page.count("<svg")  # temperature, pressure, inclination
        assert page.count('class="m"') >= 3 and 'class="l"' in page and 'class="k"' in page

        german = words_of(fetch(clinic, f"/sessions/{number}/report?lang=de")[2])
        for words in ["Behandlungsbericht", "Schmerz", "40,0 … 43,0 °C", "im Mittel"]:
            assert words in german, (words, german)
        for path, wanted in [("/sessions/99/report", 404), ("/sessions/x/report", 422),
                             (f"/sessions/{number}/report?lang=fr", 422)]:
            assert fetch(clinic, path)[0] == wanted, path

        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        again = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "CD"})[1]["id"]
        assert clinic.ask(f"/sessions/{number}")[0] == 404  # no longer in any room
        later = words_of(fetch(clinic, f"/sessions/{number}/report")[2])
        assert later.split("Made")[0] == said.split("Made")[0], (later, said)
        planned = words_of(fetch(clinic, f"/sessions/{again}/report")[2])
        assert "planned, not yet begun" in planned and "Nothing was measured." in planned, planned

        # The same by lumbarctl; a file that is there is not touched.
        out = clinic.folder / "report.html"
        done = clinic.ctl("session", "report", str(number), "--out", str(out))
        assert done.returncode == 0 and "Treatment report" in out.read_text(), done
        assert clinic.ctl("session", "report", str(number), "--out", str(out)).returncode == 1
        assert "Behandlungsbericht" in clinic.ctl("session", "report", str(number), "--lang",
                                                  "de").stdout
        assert clinic.ctl("session", "report", "99").returncode == 1
        assert clinic.ctl("session", "report").returncode == 2
        listed = clinic.ctl("session", "list").stdout
        assert "planned" in listed and "CD" in listed, listed


def tables_hold_what_was_measured_as_buckets_and_as_samples(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01", "posture/p-01"]}, plans={"back": PLAN},
                rules=RULES) as clinic:
        number = treat(clinic)
        status, headers, text = fetch(clinic, f"/sessions/{number}/csv")
        assert status == 200 and headers["Content-Type"] == "text/csv; charset=utf-8", headers
        assert headers["Content-Disposition"] == 'attachment; filename="session-1.csv"', headers
        rows = list(csv.DictReader(io.StringIO(text)))
        warm = [row for row in rows if row["metric"] == "skin_temperature"]
        assert {row["unit"] for row in warm} == {"Cel"} and len(warm) >= 4, warm
        assert sum(int(row["count"]) for row in warm) == 40, warm
        assert max(float(row["max"]) for row in warm) == 43 and min(
            float(row["min"]) for row in warm) == 40, warm
        assert {row["device"] for row in rows} == {"massage/m-01", "posture/p-01"}, rows
        assert clinic.ctl("session", "csv", str(number)).stdout.splitlines() == text.splitlines()

        wait_for("a finished recording", lambda: list(clinic.recordings.glob("room-1_*.rec")))
        clinic.stop_hub()
        done = clinic.ctl("session", "csv", str(number), "--samples")
        assert done.returncode == 0, done.stderr
        samples = list(csv.DictReader(io.StringIO(done.stdout)))
        warm = [float(row["value"]) for row in samples if row["metric"] == "skin_temperature"]
        assert sorted(warm) == [40.0] * 10 + [41.0] * 10 + [42.0] * 10 + [43.0] * 10, warm
        assert {row["value"] for row in samples if row["metric"] == "state"} == {"running"}
        other = clinic.ctl("session", "csv", "77", "--samples")
        assert other.returncode == 1 and "no recording of session 77" in other.stderr, other
        assert clinic.ctl("session", "csv", "x", "--samples").returncode == 2
        clinic.start_hub()


def held_back(device, from_ms, **columns):
    """A message of now, with samples of then."""
    telemetry = device.clinic.proto(device.kind).Telemetry.FromString(device.message(**columns))
    telemetry.start_ms = from_ms
    device.clinic.mqtt.publish(device.topic, telemetry.SerializeToString())


def what_a_device_held_back_is_on_the_tape_of_its_own_session(build):
    there = {"room-1": ["massage/m-01", "posture/p-01"], "room-2": ["massage/m-02"]}
    moved = {"room-1": ["massage/m-01"], "room-2": ["massage/m-02", "posture/p-01"]}
    with Clinic(build, rooms=there) as clinic:
        device = clinic.device("posture", "p-01")
        first, second = [clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB"})[1]["id"]
                         for room in ("room-1", "room-2")]
        for number in (first, second):
            order(clinic, number, "start")
        value = lambda: clinic.ask("/devices/posture/p-01")[1]["values"].get(
            "trunk_inclination", {}).get("value")
        device.send(trunk_inclination=[10.0] * 3)
        wait_for("its value", lambda: value() == 10)
        then_ms = now_ms()
        time.sleep(1)
        clinic.write_config(rooms=moved)
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("the wearable in the other session", lambda: "posture/p-01" in
                 [d["device"] for d in clinic.ask(f"/sessions/{second}")[1]["devices"]])
        time.sleep(3)
        held_back(device, then_ms, trunk_inclination=[77.0] * 3)  # its session goes on without it
        device.send(trunk_inclination=[20.0] * 3)
        wait_for("its next value", lambda: value() == 20)
        order(clinic, first, "end")
        held_back(device, then_ms + 100, trunk_inclination=[66.0] * 3)  # and is over
        device.send(trunk_inclination=[30.0] * 3)
        wait_for("its last value", lambda: value() == 30)
        order(clinic, second, "end")
        clinic.stop_hub()
        for number, wanted in [(first, {10, 77, 66}), (second, {20, 30})]:
            done = clinic.ctl("session", "csv", str(number), "--samples")
            assert done.returncode == 0, done.stderr
            told = {float(row["value"]) for row in csv.DictReader(io.StringIO(done.stdout))
                    if row["metric"] == "trunk_inclination"}
            assert told == wanted, (number, told)


def moment_ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def a_message_across_two_sessions_is_cut_between_them(build):
    """The samples of one second, of which the first client had half."""
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        device = clinic.device("posture", "p-01")
        numbers = []
        for degrees in (10.0, 20.0):
            number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]["id"]
            numbers.append(number)
            order(clinic, number, "start")
            if degrees == 20.0:  # 100 rows of 20 ms: of the second before it was opened, and of it
                opened = moment_ms(clinic.ask(f"/sessions/{number}/record")[1]["opened"])
                wait_for("its second", lambda: now_ms() > opened + 1000)
                held_back(device, opened - 1000, trunk_inclination=[15.0] * 100)
            device.send(trunk_inclination=[degrees] * 3)
            time.sleep(1.2)
            order(clinic, number, "end")
        clinic.stop_hub()
        counts = []
        for number in numbers:
            done = clinic.ctl("session", "csv", str(number), "--samples")
            assert done.returncode == 0 and not done.stderr, done
            told = [row for row in csv.DictReader(io.StringIO(done.stdout))
                    if row["metric"] == "trunk_inclination"]
            counts.append(sum(row["value"] == "15" for row in told))
            times = sqlite3.connect(clinic.folder / "history.db").execute(
                "SELECT created_ms, ended_ms FROM session WHERE id = ?", (number,)).fetchone()
            for row in told:
                assert times[0] <= moment_ms(row["at"]) < times[1], (row, times)
        assert all(30 <= count <= 60 for count in counts) and sum(counts) <= 100, counts


def what_cannot_be_cut_is_told_to_nobody_who_does_not_insist(build):
    """The history that knows when the session had which device is lost, or was told by another clock."""
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        device = clinic.device("posture", "p-01")
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]["id"]
        order(clinic, number, "start")
        time.sleep(0.1)
        device.send(trunk_inclination=[10.0] * 3)
        wait_for("its value", lambda: clinic.ask("/devices/posture/p-01")[1]["messages"] == 1)
        order(clinic, number, "end")
        clinic.stop_hub()

        def samples(*more):
            return clinic.ctl("session", "csv", str(number), "--samples", *more)

        def told(done):
            return [row["value"] for row in csv.DictReader(io.StringIO(done.stdout))
                    if row["metric"] == "trunk_inclination"]
        history = clinic.folder / "history.db"
        assert told(samples()) == ["10"] * 3
        assert clinic.ctl("session", "csv", str(number), "--uncut").returncode == 2
        for spoil, words in [
                ("UPDATE session_device SET from_ms = from_ms - 86400000, to_ms = to_ms - 86400000",
                 f"tells other times than session {number}"),
                ("DELETE FROM session_device", f"knows of no device in session {number}")]:
            with sqlite3.connect(history) as db:
                db.execute(spoil)
            out = clinic.folder / "samples.csv"
            refused = samples("--out", str(out))
            assert refused.returncode == 1 and not refused.stdout and not out.exists(), refused
            assert refused.stderr.count("\n") == 1 and words in refused.stderr and \
                "--uncut" in refused.stderr, refused.stderr
            done = samples("--uncut")
            assert done.returncode == 0 and told(done) == ["10"] * 3, done
            assert done.stderr.count("\n") == 2 - (words.startswith("tells")), done.stderr
        history.rename(clinic.folder / "history.away")
        refused = samples()
        assert refused.returncode == 1 and "cannot be read" in refused.stderr, refused
        assert told(samples("--uncut")) == ["10"] * 3
        (clinic.folder / "history.away").rename(history)


TOTALS = """
derived:
  - {name: bends, title: Bends, metric: trunk_inclination, count: {above: 45 deg}, reset: session}
"""


def what_is_derived_goes_on_from_one_recording_of_a_session_to_the_next(build):
    there = {"room-1": ["posture/p-01"], "room-2": []}
    moved = {"room-1": [], "room-2": ["posture/p-01"]}
    with Clinic(build, rooms=there, rules=TOTALS) as clinic:
        device = clinic.device("posture", "p-01")
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]["id"]
        order(clinic, number, "start")

        def bend(times, wanted):
            for _ in range(times):
                device.send(trunk_inclination=[60.0] * 3 + [10.0] * 3)
                time.sleep(0.15)
            wait_for("they are counted", lambda: clinic.ask("/devices/posture/p-01")[1]["values"]
                     .get("bends", {}).get("value") == wanted)
        bend(3, 3)
        clinic.write_config(rooms=moved)
        order(clinic, number, "move", room="room-2")
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("the wearable in its session again", lambda: len(
            clinic.ask(f"/sessions/{number}")[1]["devices"]) == 2)
        bend(2, 5)
        order(clinic, number, "end")
        clinic.stop_hub()
        assert len(list(clinic.recordings.glob("*.rec"))) == 2, list(clinic.recordings.iterdir())
        done = clinic.ctl("session", "csv", str(number), "--samples")
        assert done.returncode == 0, done
        told = [int(row["value"]) for row in csv.DictReader(io.StringIO(done.stdout))
                if row["metric"] == "bends"]
        assert told == [1, 2, 3, 4, 5], told


def a_bundle_holds_devices_procedure_and_observations(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01", "posture/p-01"]}, plans={"back": PLAN},
                rules=RULES) as clinic:
        number = treat(clinic)
        status, headers, text = fetch(clinic, f"/sessions/{number}/fhir")
        assert status == 200 and headers["Content-Type"].startswith("application/fhir+json")
        bundle = json.loads(text)
        assert bundle["resourceType"] == "Bundle" and bundle["type"] == "collection", bundle
        entries = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
        assert len(entries) == len(bundle["entry"]), "an url twice"
        by_type = {}
        for resource in entries.values():
            by_type.setdefault(resource["resourceType"], []).append(resource)
        assert by_type["Patient"] == [{"resourceType": "Patient", "identifier": [
            {"system": "urn:lumbar:client", "value": "A-17"}]}], by_type["Patient"]
        assert len(by_type["Device"]) == 2, by_type["Device"]
        procedure = by_type["Procedure"][0]
        assert procedure["status"] == "completed" and len(procedure["note"]) == 2, procedure
        assert procedure["complication"][0]["text"] == "Dizzy.", procedure
        assert procedure["category"]["coding"][0]["code"] == "91251008", procedure
        parts = [p for p in by_type["Procedure"] if "partOf" in p]
        assert parts and all(p["performedPeriod"]["start"] for p in parts), by_type["Procedure"]
        assert parts[0]["code"]["coding"] == [
            {"system": "http://snomed.info/sct", "code": "387854002"},
            {"system": "urn:lumbar:code", "code": "massage"}], parts[0]
        pain = [o for o in by_type["Observation"]
                if o["code"]["coding"][0]["code"] == "72514-3"]
        assert [o["valueQuantity"]["value"] for o in pain] == [6, 3], pain
        warm = next(o for o in by_type["Observation"]
                    if o["code"]["coding"][-1]["code"] == "skin_temperature")
        assert warm["valueQuantity"] == {"value": 41.5, "unit": "Cel", "code": "Cel",
                                         "system": "http://unitsofmeasure.org"}, warm
        dose = next(o for o in by_type["Observation"]
                    if o["code"]["coding"][0]["code"] == "region_dose")
        assert dose["valueQuantity"]["code"] == "kPa.min", dose

        def references(value):
            if isinstance(value, dict):
                if "reference" in value:
                    yield value["reference"]
                for part in value.values():
                    yield from references(part)
            elif isinstance(value, list):
                for part in value:
                    yield from references(part)
        assert set(references(bundle)) <= set(entries), "a reference leads nowhere"
        assert json.loads(clinic.ctl("session", "fhir", str(number)).stdout)["entry"] == \
            bundle["entry"]


if __name__ == "__main__":
    run([a_page_tells_all_of_a_session_and_survives_restarts,
         tables_hold_what_was_measured_as_buckets_and_as_samples,
         what_a_device_held_back_is_on_the_tape_of_its_own_session,
         a_message_across_two_sessions_is_cut_between_them,
         what_cannot_be_cut_is_told_to_nobody_who_does_not_insist,
         what_is_derived_goes_on_from_one_recording_of_a_session_to_the_next,
         a_bundle_holds_devices_procedure_and_observations])
