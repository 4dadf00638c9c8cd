"""Every row of the hub's own table of endpoints, before whoever may not and whoever may: each role,
each scope, no session, one that is over, was ended, or was never given; another site's page, another
name of the host."""
import json
import re
import secrets
import sqlite3
import subprocess

import sys

from clinic import Browser, Clinic, try_case, wait_for
from visitor import PASSWORD, Visitor, invited, set_up

ROOMS = {"room-1": ["massage/m-01"], "room-2": ["massage/m-02"]}
RULE = """
rules:
  - name: warm
    title: Skin warm
    metric: massage/skin_temperature
    above: 43 Cel
    priority: medium
    text: "Skin {value}."
    action: Lift the pad.
"""
ROLES = ["admin", "lead", "therapist", "display", "auditor"]


def rows_of(build):
    """The table, as the hub prints it: what this walk is made from."""
    said = subprocess.run([f"{build}/daemon/lumbard", "--endpoints"], capture_output=True, text=True,
                          check=True).stdout
    rows = [json.loads(line) for line in said.splitlines()]
    assert len(rows) > 60 and all(row["scope"] and row["path"] for row in rows), said
    return rows


class House:
    """Two rooms with a treatment, an alarm and a device each, and somebody of every kind."""

    def __init__(self, clinic):
        self.clinic = clinic
        self.admin = set_up(clinic)
        self.people = {role: invited(clinic, self.admin, f"a-{role}", role) for role in ROLES}
        self.scoped = {role: invited(clinic, self.admin, f"s-{role}", role, ["room-1"])
                       for role in ("lead", "therapist", "display")}
        self.nobody = Visitor(clinic)
        for number, room in enumerate(ROOMS, 1):
            assert clinic.ask("/clients", "POST", {"name": f"kiefer-{number}"})[0] == 201
            clinic.device("massage", f"m-0{number}").send(skin_temperature=[44.5])
        wait_for("both alarms", lambda: len(clinic.ask("/alarms")[1]["alarms"]) == 2)
        self.alarms = {alarm["room"]: alarm["number"] for alarm in clinic.ask("/alarms")[1]["alarms"]}
        self.open_sessions()
        for session in self.sessions.values():  # one in each room is over, and one is open
            assert clinic.ask(f"/sessions/{session}/abort", "POST", {"reason": "A test"})[0] == 200
        self.open_sessions()

    def open_sessions(self):
        self.sessions = {}
        for number, room in enumerate(ROOMS, 1):
            status, said = self.clinic.ask("/sessions", "POST", {
                "room": room, "therapist": "AB", "client": f"kiefer-{number}"})
            assert status == 201, said
            self.sessions[room] = said["id"]

    def path(self, row, room="room-1"):
        """The row's path, about this room."""
        device = ROOMS[room][0].split("/")
        names = {"{room}": room, "{number}": str(self.alarms[room]), "{id}": str(self.sessions[room]),
                 "{kind}": device[0], "{plan}": "back", "{name}": f"kiefer-{room[-1]}"}
        path = row["path"]
        if path.startswith("/devices"):
            names["{name}"] = device[1]
        elif path.startswith("/users"):
            names["{name}"] = "a-display"
        for name, value in names.items():
            path = path.replace(name, value)
        if row["scope"] == "measure":
            path += f"?device={'/'.join(device)}&metric=skin_temperature"
        assert "{" not in path, path
        return path

    def try_row(self, visitor, row, headers=None, room="room-1"):
        """Its status; what would change something is asked for in a way that is not understood, which
        is found out when who asks is admitted, and before anything is done."""
        body = None if row["method"] == "GET" else {"nonsense": 1}
        return visitor.ask(self.path(row, room), row["method"], body, headers)[0]


HOUSE = []  # one for all cases: to set passwords takes its time, as it should


def requests(build):
    return [row for row in rows_of(build) if row["method"] != "LIVE"]


def the_table_opens_to_the_few_what_is_named_here(build):
    """A row that is opened by mistake is not found by a walk that is made from it."""
    rows = rows_of(build)

    def open_to(role, methods=("GET", "POST", "PUT", "DELETE", "LIVE")):
        return {row["path"] for row in rows if role in row["roles"] and row["method"] in methods}
    assert open_to("anyone") == {"/door", "/login", "/enrol", "/healthz"}
    own = {"/logout", "/logout/everywhere", "/me/password", "/me/codes", "/me/codes/begin",
           "/me/codes/end"} | open_to("anyone")
    assert open_to("display", ("POST", "PUT", "DELETE")) <= own
    assert open_to("auditor", ("POST", "PUT", "DELETE")) <= own
    assert open_to("display") <= own | {"/me", "/health", "/rules", "/rules/changes", "/rooms",
                                        "/devices", "/live/wall", "/live/room",
                                        "/devices/{kind}/{name}"}
    for path in open_to("admin") | open_to("auditor"):
        assert not re.match(r"/(clients|sessions|alarms|history|plans|live/room|rooms/)", path), path
    assert [row["path"] for row in rows if not row["roles"]] == ["/setup"]
    for row in rows:
        if "{" in row["path"] and re.match(r"/(rooms|devices|alarms|sessions|live)", row["path"]):
            assert row["scope"] in ("room", "device", "alarm", "session", "record"), row


def each_row_is_open_to_its_roles_and_to_nobody_else(build):
    house, wrong = HOUSE[0], []
    for row in requests(build):
        anyone = "anyone" in row["roles"]
        for role, visitor in house.people.items():
            if row["path"].startswith("/logout"):
                continue  # tried on its own: it is understood by everybody
            status, may = house.try_row(visitor, row), role in row["roles"]
            if (status in (401, 403)) == may or status >= 500:
                wrong.append((row["method"], row["path"], role, status))
        status = house.try_row(house.nobody, row)
        if (status == 401) == anyone or status == 403:
            wrong.append((row["method"], row["path"], "nobody", status))
    assert wrong == [], wrong


def each_row_with_a_room_is_closed_to_who_has_no_part_in_it(build):
    house, wrong, walked = HOUSE[0], [], 0
    bodies = {"into": {"room": "room-2", "therapist": "AB"}}
    for row in requests(build):
        if row["scope"] in ("none", "lists"):
            continue
        for role, visitor in house.scoped.items():
            if role not in row["roles"]:
                continue
            body = bodies.get(row["scope"], {} if row["method"] in ("POST", "PUT") else None)
            status = visitor.ask(house.path(row, "room-2"), row["method"], body)[0]
            mine = house.try_row(visitor, row)
            walked += 1
            if status != 403 or mine in (401, 403):
                wrong.append((row["method"], row["path"], role, status, mine))
    assert wrong == [] and walked > 50, (walked, wrong)
    # What a body names beside the path.
    anna, mine = house.scoped["therapist"], house.sessions["room-1"]
    assert anna.ask(f"/sessions/{mine}/move", "POST", {"room": "room-2"})[0] == 403
    assert anna.ask(f"/sessions/{mine}/assign", "POST", {"device": "massage/m-02"})[0] == 403
    for room in ("room-2", None):
        assert anna.ask("/devices/massage/m-01/room", "PUT", {"room": room}, {"If-Match": "*"})[0] == 403
    assert anna.ask("/history?device=massage/m-99&metric=skin_temperature")[0] == 403


def lists_tell_of_no_room_but_theirs(build):
    house = HOUSE[0]
    for role, visitor in house.scoped.items():
        for path, name in [("/rooms", "rooms"), ("/devices", "devices"), ("/alarms", "alarms"),
                           ("/sessions", "sessions")]:
            status, said = visitor.ask(path)
            if status == 403:
                assert role == "display" and path in ("/alarms", "/sessions"), (role, path)
                continue
            assert said[name] and {one.get("room", one["name"] if "name" in one else "")
                                   for one in said[name]} == {"room-1"}, (role, said)
            assert "room-2" not in json.dumps(said), (role, said)
    lead, anna = house.people["lead"], house.scoped["therapist"]
    wait_for("they are on the disk", lambda: len(lead.ask("/archive")[1]["sessions"]) >= 2)
    for visitor, rooms in ((lead, ["room-1", "room-2"]), (anna, ["room-1"])):
        archive = visitor.ask("/archive")[1]
        assert sorted({one["room"] for one in archive["sessions"]}) == rooms, archive
        assert visitor.ask("/archive?client=kiefer-2")[1]["sessions"] == \
            [one for one in archive["sessions"] if one["room"] == "room-2"]
    for visitor, count in ((lead, 2), (anna, 0)):  # of a course in the other room
        wait_for("it is on the disk", lambda: len(lead.ask("/clients/kiefer-2/course")[1]
                                                  ["sessions"]) == 2)
        assert len(visitor.ask("/clients/kiefer-2/course")[1]["sessions"]) == count
    values = house.people["admin"].ask("/devices/massage/m-01")[1]["values"]
    assert "skin_temperature" not in values, values  # an administrator sees no client's
    assert "skin_temperature" in lead.ask("/devices/massage/m-01")[1]["values"]


def no_row_is_open_to_a_session_that_is_none(build):
    house = HOUSE[0]
    clinic = house.clinic
    lead = house.people["lead"]
    ended = Visitor(clinic, lead.cookie)
    assert lead.ask("/logout", "POST", {})[0] == 200 and lead.cookie is None
    strangers = {"ended": ended, "made up": Visitor(clinic, secrets.token_urlsafe(32)),
                 "empty": Visitor(clinic, "x"), "as a token": Visitor(clinic, bearer=ended.cookie),
                 "another's digest": Visitor(clinic, "0" * 43)}
    over = invited(clinic, house.admin, "over", "lead")
    disabled = invited(clinic, house.admin, "gone", "lead")
    gone = Visitor(clinic, disabled.cookie)
    assert house.admin.ask("/users/gone", "PUT", {"disabled": True}, {"If-Match": "*"})[0] == 200
    strangers |= {"over": over, "disabled": gone}
    wait_for("it is on the disk", lambda: clinic.ask("/health")[1]["status"] == "ok")
    clinic.stop_hub()
    with sqlite3.connect(clinic.folder / "history.db") as db:
        changed = db.execute("UPDATE pass SET until_ms = 1 WHERE account = (SELECT id FROM account"
                             " WHERE name = 'over')").rowcount
    db.close()
    assert changed == 1
    clinic.start_hub()
    assert house.people["therapist"].ask("/me")[0] == 200  # a login outlives a restart
    for why, visitor in strangers.items():
        for row in requests(build):
            status = house.try_row(visitor, row)
            assert (status == 401) == ("anyone" not in row["roles"]), (why, row, status)
        assert visitor.upgrade()[0] == 401, why
    said = lead.ask("/login", "POST", {"name": "a-lead", "password": PASSWORD})
    assert said[0] == 200 and lead.ask("/me")[0] == 200, said


def no_row_is_open_to_another_sites_page(build):
    house = HOUSE[0]
    clinic = house.clinic
    lead, admin = house.people["lead"], house.admin
    port = clinic.web_port
    tries = [({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
             ({"Origin": f"http://127.0.0.1:{port + 1}"}, 403),
             ({"Origin": f"http://127.0.0.1.evil.example:{port}"}, 403),
             ({"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}, 421)]
    everybody = [house.nobody, admin, *house.people.values(), *house.scoped.values()]
    for row in requests(build):
        for visitor in everybody:
            for headers, wanted in tries:
                status = house.try_row(visitor, row, headers)
                assert status == wanted, (row, headers, status)
            if row["method"] != "GET" and "anyone" not in row["roles"]:
                refused = 401 if visitor is house.nobody else 403
                assert house.try_row(visitor, row, {"Origin": None}) == refused, row
    for visitor in everybody:
        for headers, wanted in tries:
            assert visitor.upgrade(headers)[0] == wanted, headers


def watched(clinic, visitor, room):
    """What becomes of a socket that asks for this room: the frames' text, or None where it is shut."""
    status, wire = visitor.upgrade()
    if status != 101:
        return None
    browser = object.__new__(Browser)
    browser.clinic, browser.live, browser.socket = clinic, clinic.proto("live"), wire
    browser.hello, browser.cursor = None, 0
    try:
        browser.watch(room)
        frames = [browser.until(lambda f: f.HasField("hello"), seconds=5)]
        while (frame := browser.frame(0.3)) is not None and len(frames) < 30:
            frames.append(frame)
        return frames
    except (ConnectionError, OSError):
        return None
    finally:
        wire.close()


def a_socket_gets_the_rooms_of_its_owner_and_no_others(build):
    house = HOUSE[0]
    clinic = house.clinic
    rows = {row["path"]: row["roles"] for row in rows_of(build) if row["method"] == "LIVE"}
    for role, visitor in house.people.items():
        for path, room in (("/live/wall", 0), ("/live/room", 2)):
            assert (watched(clinic, visitor, room) is not None) == (role in rows[path]), (role, path)
    for role, visitor in house.scoped.items():
        assert watched(clinic, visitor, 2) is None, role
        for room in (0, 1):
            text = " ".join(str(frame) for frame in watched(clinic, visitor, room))
            assert "room-1" in text and "kiefer-1" in text, (role, room)
            assert "room-2" not in text and "kiefer-2" not in text and "m-02" not in text, (role, room)
    text = " ".join(str(frame) for frame in watched(clinic, house.people["admin"], 0))
    assert "room-2" in text and "kiefer" not in text and "44.5" not in text
    text = " ".join(str(frame) for frame in watched(clinic, house.people["lead"], 0))
    assert "kiefer-1" in text and "kiefer-2" in text
    assert watched(clinic, house.nobody, 0) is None


if __name__ == "__main__":
    CASES = [the_table_opens_to_the_few_what_is_named_here,
         each_row_is_open_to_its_roles_and_to_nobody_else,
         each_row_with_a_room_is_closed_to_who_has_no_part_in_it,
         lists_tell_of_no_room_but_theirs, no_row_is_open_to_a_session_that_is_none,
         no_row_is_open_to_another_sites_page,
         a_socket_gets_the_rooms_of_its_owner_and_no_others]
    with Clinic(sys.argv[1], rooms=ROOMS, rules=RULE, accounts=True) as clinic_of_all:
        HOUSE.append(House(clinic_of_all))
        ends = [try_case(case) for case in CASES]
    sys.exit(1 if "FAILED" in ends else 0)
