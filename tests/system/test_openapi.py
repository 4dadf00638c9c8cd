"""The hub and proto/openapi.yaml: each has what the other has, and an answer is as it is described.

That last is seen in every system test, for Clinic.ask() looks; here every endpoint is asked once for
what it can give, and once for what it refuses.
"""
import json
import re
import signal
import subprocess
import time

import described
from clinic import Clinic, run, wait_for
from visitor import PASSWORD, code_of, invited, set_up
from test_calibration import Wearer, take_neutral, value

RULE = """
rules:
  - {name: warm, title: Skin warm, metric: massage/skin_temperature, above: 43 Cel, latch: true,
     priority: medium, text: "Skin {value}."}
"""
PLAN = """
name: own
title: Own
limits: [{metric: lumbar_flexion, outside: [-10 deg, 45 deg], own: 50 %}]
phases: [{kind: exercise, time: 10 min}, {kind: rest, time: 1 min}]
"""
CLIENT = {"name": "A-17", "goals": ["Sit for an hour."], "own": [
    {"metric": "lumbar_flexion", "high": "50 deg", "measured": "2026-01-31"}]}
OPENING = {"room": "room-1", "therapist": "AB", "client": "A-17", "plan": "own"}


def rows_of(build):
    listed = subprocess.run([f"{build}/daemon/lumbard", "--endpoints"], capture_output=True,
                            text=True, check=True, timeout=30).stdout
    rows = [json.loads(line) for line in listed.splitlines()]
    return [row for row in rows if row["method"] != "LIVE"]


def endpoints(build):
    """(method, path): the members that its body may have."""
    return {(row["method"], row["path"]): set(row["members"]) for row in rows_of(build)}


def who_may_is_told_as_the_hub_has_it(build):
    for row in rows_of(build):
        roles = row["roles"] or ["local"]
        wanted = [] if "anyone" in roles else [{"cookie": roles}, {"token": roles}]
        told = described.operations()[row["method"], row["path"]]["security"]
        assert told == wanted, (row, told)


def members_of(operation):
    body = described.follow(operation.get("requestBody", {}))
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    assert not body or schema.get("additionalProperties") is False, operation["operationId"]
    return set(schema.get("properties", {}))


def path_names(path, operation):
    shared = described.document()["paths"][path].get("parameters", [])
    named = [described.follow(p) for p in shared + operation.get("parameters", [])]
    assert len({(p["in"], p["name"]) for p in named}) == len(named), path
    return [p["name"] for p in named if p["in"] == "path"]


def every_endpoint_is_described_and_every_description_is_one(build):
    has, tells = endpoints(build), described.operations()
    assert set(has) == set(tells), set(has) ^ set(tells)
    assert len(has) > 50, has
    for (method, path), operation in tells.items():
        assert members_of(operation) == has[method, path], (method, path)
        assert path_names(path, operation) == re.findall(r"\{(\w+)\}", path), path
        assert described.follow(operation["responses"]["default"]) == \
            described.document()["components"]["responses"]["Problem"], path
    names = [operation["operationId"] for operation in tells.values()]
    assert len(set(names)) == len(names), names


def lead_a_session(clinic, number):
    """All that can be done with one, in an order in which it can."""
    for order, body in [
            ("note", {"text": "Came late."}), ("pain", {"pain": 5, "when": "before"}),
            ("rmdq", {"score": 7}), ("odi", {"score": 30}), ("start", {}), ("marker", {}),
            ("assign", {"device": "massage/m-02"}), ("unassign", {"device": "massage/m-02"}),
            ("pause", {}), ("resume", {}), ("next", {}), ("move", {"room": "room-2"}),
            ("move", {"room": "room-1"}), ("adverse", {"text": "Felt dizzy."}), ("end", {}),
            ("name", {"therapist": "CD"})]:
        status, said = clinic.ask(f"/sessions/{number}/{order}", "POST", body)
        assert status == 200, (order, said)
    for form in ("report", "csv", "fhir", "record"):
        assert clinic.ask(f"/sessions/{number}/{form}?lang=de")[0] == 200, form


def answer_an_alarm(clinic):
    device = clinic.device("massage", "m-01")
    clinic.device("massage", "m-02").send(skin_temperature=[30.0])  # of no room
    device.send(skin_temperature=[44.5])
    alarm = wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])[0]["number"]
    for deed, body in [("ack", {"why": "seen"}), ("unack", {}), ("reset", {}),
                       ("shelve", {"why": "x", "seconds": 60}), ("unshelve", {})]:
        if deed == "reset":  # which needs one that is over, and latched
            device.send(skin_temperature=[30.0])
            wait_for("it latched", lambda: clinic.ask(f"/alarms/{alarm}")[1]["state"] == "latched")
        status, said = clinic.ask(f"/alarms/{alarm}/{deed}", "POST", body)
        if deed == "reset":
            device.send(skin_temperature=[44.5])
            alarm = wait_for("another", lambda: clinic.ask("/alarms")[1]["alarms"])[0]["number"]
        assert status == 200, (deed, said)
    assert clinic.ask("/alarms/load")[1]["alarms"] >= 1
    assert clinic.ask("/alarms/history?room=room-1&limit=1")[1]["alarms"] != []


def ask_for_accounts(build):
    """What is only there where people log in; it is held against its description as it is asked for."""
    with Clinic(build, accounts=True) as clinic:
        admin = set_up(clinic)
        invited(clinic, admin, "anna", "therapist")
        auditor, lead = invited(clinic, admin, "ben", "auditor"), invited(clinic, admin, "eva", "lead")
        for visitor, method, path, body in [
                (admin, "GET", "/door", None), (admin, "GET", "/me", None), (admin, "GET", "/users", None),
                (admin, "PUT", "/users/anna", {"rooms": ["room-1"]}),
                (admin, "POST", "/users/anna/logout", {}), (admin, "POST", "/users/anna/reset", {}),
                (lead, "POST", "/glass", {"why": "to see whether it is told"}),
                (lead, "POST", "/glass/mend", {}), (lead, "GET", "/glass", None),
                (lead, "POST", "/glass/1/seen", {}),
                (lead, "POST", "/me/password", {"old": PASSWORD, "new": PASSWORD + " more"}),
                (admin, "GET", "/tokens", None),
                (auditor, "GET", "/audit", None), (auditor, "POST", "/logout", {}),
                (auditor, "POST", "/login", {"name": "ben", "password": PASSWORD}),
                (auditor, "POST", "/logout/everywhere", {})]:
            status, said = visitor.ask(path, method, body, {"If-Match": "*"} if method == "PUT" else None)
            assert status == 200, (method, path, said)
        status, token = admin.ask("/tokens", "POST", {"name": "wall"})
        assert status == 201 and admin.ask(f"/tokens/{token['id']}", "DELETE")[0] == 200, token
        secret = lead.ask("/me/codes", "POST", {})[1]["secret"]
        step = int(time.time()) // 30
        for order, number in (("begin", step), ("end", step + 1)):
            status, said = lead.ask(f"/me/codes/{order}", "POST", {"code": code_of(secret, number)})
            assert status == 200, said
        return clinic.answered


def every_endpoint_gives_what_is_described(build):
    rooms = {"room-1": ["posture/p-01", "massage/m-01"], "room-2": []}
    with Clinic(build, rooms=rooms, rules=RULE, plans={"own": PLAN}, start=False) as clinic:
        clinic.start_hub(NOTIFY_SOCKET="@nobody")  # who would start it again
        with Wearer(clinic, "p-01"):
            wait_for("its angle", lambda: value(clinic) == 12)
            for path, body in [("/clients", CLIENT), ("/sessions", OPENING)]:
                status, made = clinic.ask(path, "POST", body)
                assert status == 201 and made["stored"], made
                found = clinic.headers["Location"].removeprefix("/api/v1")
                assert clinic.ask(found)[0] == 200, found
            take_neutral(clinic)
            place = "/devices/posture/p-01"
            for method, part, body in [("POST", "range", {"metric": "lumbar_flexion"}),
                                       ("POST", "range/end", {}), ("DELETE", "neutral", None),
                                       ("POST", "identify", {"seconds": 1})]:
                status, said = clinic.ask(f"{place}/{part}", method, body)
                assert status in (200, 202), said
            assert clinic.ask(f"{place}/room")[0] == 200
            for room in ("room-2", None, "room-1"):
                assert clinic.ask(f"{place}/room", "PUT", {"room": room}, headers={"If-Match": "*"})[0] == 200
            answer_an_alarm(clinic)
            lead_a_session(clinic, made["id"])
        number = clinic.ask("/sessions", "POST", {**OPENING, "client": ""})[1]["id"]
        assert clinic.ask(f"/sessions/{number}/abort", "POST", {"reason": "x"})[0] == 200
        plan = "/clients/A-17/plans/own"
        for method, path, body in [
                ("GET", "/health", None), ("GET", "/healthz", None), ("GET", "/metrics", None),
                ("GET", "/status", None), ("GET", "/rooms", None),
                ("GET", "/backups", None), ("POST", "/backups", {}),
                ("POST", "/rooms/room-1/pause", {"what": "audio", "seconds": 60}),
                ("POST", "/rooms/room-1/resume", {"what": "audio"}), ("GET", "/devices", None),
                ("GET", "/history?device=posture/p-01&metric=lumbar_flexion", None),
                ("GET", "/sessions", None), ("GET", "/plans", None), ("GET", "/plans/own", None),
                ("GET", "/archive?room=room-1&client=A-17&from=2026-01-01T00:00:00Z", None),
                ("PUT", plan, {"template": "own"}), ("GET", plan, None), ("DELETE", plan, None),
                ("GET", "/clients", None), ("GET", "/clients/A-17/course", None),
                ("PUT", "/clients/A-17", {"goals": []}), ("GET", "/clients/A-17/export", None),
                ("DELETE", "/clients/A-17", None), ("POST", "/clients", {"name": "B-18", "goals": []}),
                ("POST", "/clients/B-18/erase", {}),
                ("GET", "/plugins", None), ("GET", "/rules", None),
                ("GET", "/rules/changes", None), ("POST", "/rules/try", {"text": ""}),
                ("POST", "/rules/text", {"text": "", "rule": "warm", "set": [
                    {"path": ["above"], "value": "44 Cel"}]}),
                ("PUT", "/rules/changes", {"text": "rules: [{name: warm, above: 44 Cel}]"}), ("POST", "/plugins/posture/enable", {}),
                ("POST", "/reload", {}), ("POST", "/restart", {})]:
            status, said = clinic.ask(path, method, body, headers={"If-Match": "*"} if
                                      (method, path) in [("PUT", "/clients/A-17"), ("PUT", "/rules/changes")] else None)
            assert status in (200, 201, 202), (method, path, said)
        missing = set(endpoints(build)) - clinic.answered - ask_for_accounts(build)
        assert not missing, f"never asked for: {missing}"


def what_is_refused_is_told_as_problem_details(build):
    """What is wrong before an endpoint is reached, at every endpoint: ask() holds the answer
    against the description of problems."""
    with Clinic(build) as clinic:
        for method, path in endpoints(build):
            path = re.sub(r"\{(number|id)\}", "999999", path)
            path = re.sub(r"\{\w+\}", "nobody", path)
            for how, headers, wanted in [
                    ("PATCH", {}, 405), (method, {"Host": "evil.example"}, 421),
                    (method, {"Origin": "http://evil.example"}, 403)]:
                status, said = clinic.ask(path, how, local=False, headers=headers)
                assert status == wanted and said["status"] == wanted, (how, path, said)
            if method in ("POST", "PUT"):
                for headers, body, wanted in [
                        ({"Content-Type": "text/plain"}, {}, 415), ({}, {"unknown": 1}, 422),
                        ({}, [1], 422), ({}, {"x": "y" * 20000}, 413)]:
                    status, said = clinic.ask(path, method, body, headers=headers)
                    assert status == wanted and said["detail"], (method, path, body, said)
            if "nobody" in path or "999999" in path:
                status, said = clinic.ask(path, method, {} if method != "GET" else None,
                                          headers={"If-Match": "*"})
                assert status in (404, 409, 422), (method, path, said)
        assert clinic.ask("/nothing")[0] == 404


def an_edit_overwrites_nobodys(build):
    with Clinic(build, plans={"own": PLAN}) as clinic:
        def put(path, body, **headers):
            status, said = clinic.ask(path, "PUT", body,
                                      headers={k.replace("_", "-"): v for k, v in headers.items()})
            return status, clinic.headers.get("ETag")
        clinic.ask("/clients", "POST", {"name": "B"})
        clinic.ask("/clients/B")
        first = clinic.headers["ETag"]
        assert put("/clients/B", {"goals": ["Mine."]}) == (428, None)
        status, second = put("/clients/B", {"goals": ["Mine."]}, If_Match=first)
        assert status == 200 and second != first, (status, second)
        for match in (first, f"W/{second}", '"x"', second.strip('"'), "x" * 400):
            assert put("/clients/B", {"goals": ["Theirs."]}, If_Match=match)[0] == 412, match
        assert clinic.ask("/clients/B", "DELETE", headers={"If-Match": first})[0] == 412
        assert clinic.ask("/clients/B")[1]["goals"] == ["Mine."]
        assert put("/clients/B", {"goals": ["Ours."]}, If_Match=f'"x", {second}')[0] == 200
        # What opens a session changes no document.
        clinic.ask("/clients/B")
        third = clinic.headers["ETag"]
        clinic.ask("/sessions", "POST", {**OPENING, "client": "B"})
        assert clinic.ask("/clients/B")[1]["session"] and clinic.headers["ETag"] == third

        plan = "/clients/B/plans/own"
        assert put(plan, {"template": "own"}, If_Match='"x"')[0] == 412  # it is not there
        status, tag = put(plan, {"template": "own"}, If_None_Match="*")
        assert status == 201
        assert put(plan, {"template": "own"}, If_None_Match="*")[0] == 412
        assert put(plan, {"template": "own"})[0] == 428
        clinic.ask(plan)
        assert clinic.headers["ETag"] == tag
        assert clinic.ask(plan, "DELETE", headers={"If-Match": tag})[0] == 200
        assert clinic.ask(plan, "DELETE", headers={"If-Match": tag})[0] == 404


def what_is_created_by_a_key_is_created_once(build):
    rooms = {"room-1": [], "room-2": []}
    with Clinic(build, rooms=rooms, plans={"own": PLAN}) as clinic:
        def create(path, body, key):
            status, said = clinic.ask(path, "POST", body, headers={"Idempotency-Key": key})
            return status, said.get("id") or said.get("name") or said["detail"]
        opening = {**OPENING, "client": ""}
        assert create("/clients", CLIENT, "key-1") == create("/clients", CLIENT, "key-1") == \
            (201, "A-17")
        assert create("/clients", CLIENT, "key-2")[0] == 409  # no repeat: another of that name
        status, number = create("/sessions", opening, "key-3")
        assert status == 201 and create("/sessions", opening, "key-3") == (201, number)
        for path, body in [("/sessions", {**opening, "room": "room-2"}), ("/clients", opening)]:
            status, words = create("/sessions", {**opening, "room": "room-2"}, "key-3")
            assert status == 422 and "another request" in words, words
        for bad in ("k" * 65, "two words", "k" * 1000):
            assert create("/sessions", {**opening, "room": "room-2"}, bad)[0] == 400, bad
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert create("/sessions", opening, "key-3") == (201, number)
        assert create("/clients", CLIENT, "key-1") == (201, "A-17")
        # A repeat tells what is now; who was erased is not made again by an old key's answer.
        clinic.ask(f"/sessions/{number}/start", "POST", {})
        assert clinic.ask("/sessions", "POST", opening,
                          headers={"Idempotency-Key": "key-3"})[1]["state"] == "running"
        assert clinic.ask("/clients/A-17", "DELETE")[1]["stored"]
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert clinic.ask("/clients")[1]["known"] == 0
        assert create("/clients", CLIENT, "key-1") == (201, "A-17")


def long_lists_come_in_pages(build):
    rooms = {f"room-{i}": [f"posture/p-{i}"] for i in range(1, 4)}
    plans = {name: PLAN.replace("own\ntitle", f"{name}\ntitle") for name in "abc"}
    with Clinic(build, rooms=rooms, plans=plans) as clinic:
        for i, room in enumerate(rooms):
            clinic.ask("/clients", "POST", {"name": f"C-{i}"})
            assert clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB"})[0] == 201
        for room in rooms:
            number = clinic.ask(f"/sessions?room={room}")[1]["sessions"][0]["id"]
            assert clinic.ask(f"/sessions/{number}/abort", "POST", {"reason": "x"})[0] == 200
        old = clinic.ask("/archive?limit=2")[1]
        assert [s["room"] for s in old["sessions"]] == ["room-3", "room-2"], old
        rest = clinic.ask(f"/archive?limit=2&before={old['next']}")[1]
        assert [s["room"] for s in rest["sessions"]] == ["room-1"] and rest["next"] is None, rest
        assert [s["room"] for s in clinic.ask("/archive?room=room-2")[1]["sessions"]] == ["room-2"]
        assert clinic.ask("/archive?room=room-9")[0] == 404
        assert clinic.ask("/archive?client=nobody")[0] == 404
        assert clinic.ask("/archive?to=2020-01-01T00:00:00Z")[1]["sessions"] == []
        for what in ("rooms", "devices", "clients", "plans", "sessions"):
            whole, paged, place = clinic.ask(f"/{what}")[1], [], 0
            assert len(whole[what]) == 3 and whole["next"] is None, whole
            while place is not None:
                page = clinic.ask(f"/{what}?limit=2&after={place}")[1]
                assert 1 <= len(page[what]) <= 2, page
                paged += page[what]
                place = page["next"]
            names = [item.get("id") or item["name"] for item in whole[what]]
            assert [item.get("id") or item["name"] for item in paged] == names, (what, paged)
            for wrong in ("limit=0", "limit=1001", "after=-1", "after=x"):
                assert clinic.ask(f"/{what}?{wrong}")[0] == 422, (what, wrong)


if __name__ == "__main__":
    run([who_may_is_told_as_the_hub_has_it, every_endpoint_is_described_and_every_description_is_one,
         every_endpoint_gives_what_is_described, what_is_refused_is_told_as_problem_details,
         an_edit_overwrites_nobodys, what_is_created_by_a_key_is_created_once,
         long_lists_come_in_pages], together=True)
