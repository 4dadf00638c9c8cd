"""Accounts before the real hub: coming in and going out, by whom and for how long, and what attackers
try; and the trail of it, which nobody changes unseen."""
import hashlib
import http.client
import json
import re
import secrets
import sqlite3
import ssl
import statistics
import sys
import threading
import time

from clinic import Browser, Clinic, try_case, wait_for
from visitor import PASSWORD, Visitor, code_of, invited, set_up

ROOMS = {"room-1": ["massage/m-01"], "room-2": ["massage/m-02"]}
CLIENT = "kiefer-geheim-7"
HOUSE = []  # one hub for all cases: to set passwords takes its time, as it should


class House:
    def __init__(self, clinic):
        self.clinic, self.spoken = clinic, []
        self.admin = set_up(clinic)
        self.lead = invited(clinic, self.admin, "lena", "lead")
        self.anna = invited(clinic, self.admin, "anna", "therapist", ["room-1"])
        self.auditor = invited(clinic, self.admin, "otto", "auditor")
        assert clinic.ask("/clients", "POST", {"name": CLIENT})[0] == 201
        for room in ROOMS:
            client = {"client": CLIENT} if room == "room-1" else {}
            status, said = clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB", **client})
            assert status == 201, said

    def watch(self, visitor):
        """A browser of theirs at /live that has seen a first frame."""
        status, wire = visitor.upgrade()
        assert status == 101, status
        browser = object.__new__(Browser)
        browser.clinic, browser.live, browser.socket = self.clinic, self.clinic.proto("live"), wire
        browser.hello, browser.cursor = None, 0
        browser.watch(0)
        browser.until(lambda f: f.HasField("hello"))
        return browser

    def trail(self):
        return self.auditor.ask("/audit?after=0")[1]["lines"]


def login(clinic, name, password=PASSWORD, **more):
    visitor = Visitor(clinic)
    status, said = visitor.ask("/login", "POST", {"name": name, "password": password, **more})
    return visitor, status, said


def is_closed(browser, seconds=20):
    """Whether the hub closes it: with a bye that says why, or at once."""
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            browser.frame(0.2)
    except (ConnectionError, OSError):
        return True
    return False


def nobody_comes_in_before_a_link_was_taken_up(build):
    clinic = HOUSE[0].clinic
    assert clinic.said("lumbarctl setup"), "a first start says what to do"
    assert clinic.ask("/setup", "POST", {})[0] == 409  # there is an administrator
    status, said = HOUSE[0].admin.ask("/users", "POST", {"name": "mia", "role": "therapist"})
    assert status == 201 and said["password"] is False, said
    secret = said["link"].rsplit("/", 1)[1]
    for password in ("", PASSWORD, secret):
        assert login(clinic, "mia", password or "x")[1] == 401
    visitor = Visitor(clinic)
    for password, wanted in [("short", 422), ("my name is mia, really", 422), (PASSWORD, 200)]:
        assert visitor.ask("/enrol", "POST", {"secret": secret, "password": password})[0] == wanted
    assert Visitor(clinic).ask("/enrol", "POST", {"secret": secret})[0] == 404  # it held once
    assert login(clinic, "mia")[1] == 200


def a_cookie_is_for_the_hub_alone(build):
    visitor = login(HOUSE[0].clinic, "lena")[0]
    cookie = visitor.headers["set-cookie"]
    for word in ("; HttpOnly", "; SameSite=Strict", "; Path=/", "Max-Age="):
        assert word in cookie, cookie
    assert "Domain" not in cookie and len(visitor.cookie) == 43, cookie
    # At rest there is a digest of it.
    with sqlite3.connect(f"file:{HOUSE[0].clinic.folder}/history.db?mode=ro", uri=True) as db:
        wait_for("its digest is kept", lambda: db.execute(
            "SELECT count(*) FROM pass WHERE hash = ?",
            [hashlib.sha256(visitor.cookie.encode()).hexdigest()]).fetchone()[0] == 1)
        assert visitor.cookie not in "\n".join(db.iterdump())
    db.close()


def a_login_gets_a_new_secret_and_the_old_one_is_of_no_use(build):
    clinic = HOUSE[0].clinic
    visitor = login(clinic, "lena")[0]
    old = Visitor(clinic, visitor.cookie)
    assert visitor.ask("/login", "POST", {"name": "lena", "password": PASSWORD})[0] == 200
    assert visitor.cookie != old.cookie
    assert visitor.ask("/me")[0] == 200 and old.ask("/me")[0] == 401
    fixed = Visitor(clinic, "attacker-chose-this-one-000000000000000000000")
    assert fixed.ask("/login", "POST", {"name": "lena", "password": PASSWORD})[0] == 200
    assert not fixed.cookie.startswith("attacker"), "a session is never the visitor's choice"


def only_the_one_cookie_counts(build):
    clinic, lena = HOUSE[0].clinic, login(HOUSE[0].clinic, "lena")[0]
    good = lena.cookie
    for header, wanted in [(f"lumbar={good}", 200), (f"a=b; lumbar={good}; c=d", 200),
                           (f"xlumbar={good}", 401), (f"lumbar2={good}", 401),
                           (f"Lumbar={good}", 401), (f"__Host-lumbar={good}", 401),
                           (f"lumbar={good}; lumbar={good}", 401), (f"lumbar=x; lumbar={good}", 401),
                           (f'lumbar="{good}"', 401), (f"lumbar={good}x", 401),
                           (f"lumbar={good[:-1]}", 401), ("lumbar=", 401)]:
        assert lena.ask("/me", headers={"Cookie": header})[0] == wanted, header
    assert lena.ask("/me", headers={"Authorization": "Bearer nonsense"})[0] == 401
    assert lena.ask("/me", headers={"Authorization": f"Bearer {good}"})[0] == 401
    assert lena.ask("/me", headers={"Authorization": "Basic bGVuYTp4"})[0] == 401


def sockets_close_when_the_right_to_them_ends(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    mia = invited(clinic, house.admin, "max", "therapist")
    for how in ("logout", "everywhere", "role", "disabled"):
        visitor = login(clinic, "max")[0] if how != "logout" else mia
        browser, other = house.watch(visitor), house.watch(house.lead)
        began = time.monotonic()
        if how == "logout":
            assert visitor.ask("/logout", "POST", {})[0] == 200
        elif how == "everywhere":
            assert login(clinic, "max")[0].ask("/logout/everywhere", "POST", {})[0] == 200
        else:
            change = {"role": "display"} if how == "role" else {"disabled": True}
            assert house.admin.ask("/users/max", "PUT", change, {"If-Match": "*"})[0] == 200
        assert is_closed(browser), how
        assert time.monotonic() - began < 20, how
        assert other.frame(5) is not None, "others are left alone"
        other.close()
        assert visitor.ask("/me")[0] == 401, how
    assert login(clinic, "max")[1] == 401


def the_last_administrator_stays(build):
    admin = HOUSE[0].admin
    for change in ({"disabled": True}, {"role": "lead"}):
        assert admin.ask("/users/admin", "PUT", change, {"If-Match": "*"})[0] == 409
    assert admin.ask("/users/admin/reset", "POST", {})[0] == 409
    assert admin.ask("/users", "POST", {"name": "Anna", "role": "lead"})[0] == 422
    assert admin.ask("/users", "POST", {"name": "anna", "role": "lead"})[0] == 409
    assert admin.ask("/users", "POST", {"name": "x", "role": "root"})[0] == 422
    assert admin.ask("/users", "POST", {"name": "x", "role": "lead", "rooms": ["cellar"]})[0] == 422


def an_edit_overwrites_nobodys(build):
    admin = HOUSE[0].admin
    invited(HOUSE[0].clinic, admin, "vera", "therapist", ["room-1"])

    def tag():
        return next(u for u in admin.ask("/users")[1]["users"] if u["name"] == "vera")["tag"]

    def change(rooms, version=None):
        return admin.ask("/users/vera", "PUT", {"rooms": rooms}, {"If-Match": version})[0]

    first = tag()
    assert change([]) == 428
    assert change(["room-1", "room-2"], first) == 200 and admin.headers["etag"] == tag() != first
    assert change([], first) == 412
    assert change(["room-1"], tag()) == 200 and tag() == first, "as it was"


def who_has_no_account_is_told_no_more_and_no_sooner(build):
    """The same answer, and the same work: the fastest of each does not tell them apart, of as many as
    it takes on a machine that does other things."""
    clinic, took = HOUSE[0].clinic, {"lena": [], "nobody-at-all": []}
    alike = False
    while not alike and len(took["lena"]) < 20:
        for name in took:
            began = time.monotonic()
            _, status, said = login(clinic, name, "wrong, and long enough")
            took[name].append(time.monotonic() - began)
            assert status == 401 and said["detail"].startswith("The name, the password"), said
        fast = [min(times) for times in took.values()]
        alike = len(took["lena"]) >= 3 and max(fast) < 2 * min(fast) + 0.02
    assert alike, took


def who_guesses_waits_and_locks_nobody_out(build):
    clinic = HOUSE[0].clinic
    invited(clinic, HOUSE[0].admin, "tim", "therapist")
    answers = [login(clinic, "tim", f"wrong number {n}")[1] for n in range(14)]
    assert answers.count(429) >= 3 and set(answers) <= {401, 429}, answers
    # One wait ahead, it may be tried again, with the right word as well.
    visitor = Visitor(clinic)
    status, said = visitor.ask("/login", "POST", {"name": "tim", "password": "wrong"})
    assert status == 429 and 0 < int(visitor.headers["retry-after"]) <= 10, visitor.headers
    wait_for("it may be tried again", lambda: login(clinic, "tim")[1] == 200, 30)


def a_session_is_not_taken_over_by_another_sites_page(build):
    lena = login(HOUSE[0].clinic, "lena")[0]
    port = HOUSE[0].clinic.web_port
    for headers, wanted in [({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
                            ({"Origin": None}, 403),
                            ({"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}, 421)]:
        assert lena.upgrade(headers)[0] == wanted, headers  # a hijacked WebSocket, a rebound name
    for headers, wanted in [({"Content-Type": "text/plain"}, 415),
                            ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
                            ({"Origin": None}, 403), ({"Origin": "http://evil.example"}, 403)]:
        status, _ = lena.ask("/clients", "POST", {"name": "forged"}, headers)
        assert status == wanted, (headers, status)
    assert lena.ask("/clients/forged")[0] == 404
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/users", "/clients/%2e%2e%2fusers", "//users",
                 "/clients/../../../users", "/clients/..%2f..%2fusers"):
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        door.request("GET", "/api/v1" + path, headers=lena.sent(None))
        answer = door.getresponse()
        said = answer.read()
        assert answer.status in (403, 404) and b"password" not in said, (path, answer.status, said)
        door.close()


def a_wall_comes_in_by_its_token_and_only_looks(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    status, token = house.admin.ask("/tokens", "POST", {"name": "corridor", "rooms": ["room-1"]})
    assert status == 201 and token["reads"] and token["role"] == "display", token
    wall = Visitor(clinic)
    assert wall.ask("/login", "POST", {"token": token["secret"]})[0] == 200
    me = wall.ask("/me")[1]
    assert (me["role"], me["reads"], me["rooms"], me["all_rooms"]) == ("display", True, ["room-1"], False)
    browser = house.watch(wall)
    assert wall.ask("/clients")[0] == 403
    program = Visitor(clinic, bearer=token["secret"])
    assert program.ask("/rooms")[0] == 200
    listed = {t["name"]: t for t in house.admin.ask("/tokens")[1]["tokens"]}["corridor"]
    assert listed["used"] and listed["logins"] == 1 and "secret" not in listed, listed
    assert house.admin.ask(f"/tokens/{token['id']}", "DELETE")[0] == 200
    assert is_closed(browser) and wall.ask("/me")[0] == 401 and program.ask("/rooms")[0] == 401
    # One that may write, and one that may not, of the same role.
    for writes, wanted in ((False, 403), (True, 201)):
        status, token = house.admin.ask("/tokens", "POST", {"name": "import", "role": "lead",
                                                            "writes": writes})
        assert status == 201, token
        program = Visitor(clinic, bearer=token["secret"])
        name = f"by-token-{writes}".lower()
        assert program.ask("/clients", "POST", {"name": name})[0] == wanted
        assert program.ask("/clients")[0] == 200
    assert house.admin.ask("/tokens", "POST", {"name": "x", "role": "admin"})[0] == 422


def what_is_made_for_people_by_a_key_is_made_once(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic

    def create(path, key, **body):
        return house.admin.ask(path, "POST", body, {"Idempotency-Key": key})

    # Whoever heard no answer asks again, and is told a link that holds; the one before does not.
    links = [create("/users", "user-1", name="olga", role="therapist") for _ in range(2)]
    assert [status for status, _ in links] == [201, 201], links
    assert [u["name"] for u in house.admin.ask("/users")[1]["users"]].count("olga") == 1
    first, second = (said["link"].rsplit("/", 1)[1] for _, said in links)
    taken = [Visitor(clinic).ask("/enrol", "POST", {"secret": secret, "password": PASSWORD})[0]
             for secret in (first, second)]
    assert taken == [404, 200], taken
    assert create("/users", "user-1", name="olga", role="therapist")[0] == 409  # taken up
    assert create("/users", "user-1", name="olga", role="lead")[0] == 422  # another request
    tokens = [create("/tokens", "token-1", name="porch")[1]["secret"] for _ in range(3)]
    assert [t["name"] for t in house.admin.ask("/tokens")[1]["tokens"]].count("porch") == 1
    held = [Visitor(clinic, bearer=secret).ask("/rooms")[0] for secret in tokens]
    assert held == [401, 401, 200], held
    assert create("/tokens", "token-1", name="porch")[0] == 409  # in use
    assert create("/tokens", "token-1", name="yard")[0] == 422


def glass_is_broken_with_a_reason_and_the_lead_is_told(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    anna = login(clinic, "anna")[0]
    foreign = next(s["id"] for s in house.lead.ask("/sessions")[1]["sessions"] if s["room"] == "room-2")
    path = f"/sessions/{foreign}"
    assert anna.ask(path)[0] == 403
    assert anna.ask("/glass", "POST", {"why": "short"})[0] == 422
    # A lead's socket says that there is news; nobody else's does.
    lena, colleague = house.watch(house.lead), house.watch(house.anna)
    told_of = []
    before = Visitor(clinic, anna.cookie)
    why = "Ben is ill, and his client waits in room 2"
    status, me = anna.ask("/glass", "POST", {"why": why, "minutes": 5})
    assert status == 200 and me["glass_until"] and me["all_rooms"], me
    assert anna.cookie != before.cookie and before.ask("/me")[0] == 401, "a new secret"
    assert anna.ask(path)[0] == 200
    frame = lena.until(lambda f: f.HasField("glass"), "a lead is told")
    told = house.lead.ask("/glass?unseen=1")[1]["glass"]
    assert [(g["who"], g["why"]) for g in told] == [("anna", why)], told
    assert bound(house, "glass") == (1, 0)
    assert house.lead.ask(f"/glass/{told[0]['id']}/seen", "POST", {})[0] == 200
    lena.until(lambda f: f.HasField("glass") and f.glass != frame.glass, "and that it is seen")
    assert house.lead.ask("/glass?unseen=1")[1]["glass"] == []
    assert bound(house, "glass") == (0, 0)
    colleague.until(lambda f: told_of.append(f.HasField("glass")) or len(told_of) == 3)
    assert not any(told_of)
    lena.close()
    colleague.close()
    assert house.lead.ask("/glass")[1]["glass"][0]["seen_by"] == "lena"
    assert anna.ask("/glass")[0] == 403
    status, me = anna.ask("/glass/mend", "POST", {})
    assert status == 200 and not me["glass_until"] and not me["all_rooms"], me
    assert anna.ask(path)[0] == 403
    # An administrator sees, and begins nothing.
    admin = login(clinic, "admin")[0]
    assert admin.ask("/clients")[0] == 403
    assert admin.ask("/glass", "POST", {"why": "the lead asked me to look"})[0] == 200
    assert admin.ask("/clients")[0] == 200
    assert admin.ask("/clients", "POST", {"name": "by-admin"})[0] == 403


def codes_are_asked_for_when_they_were_shown_and_hold_once(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    eva = invited(clinic, house.admin, "eva", "lead")
    secret = eva.ask("/me/codes", "POST", {})[1]["secret"]
    assert login(clinic, "eva")[1] == 200, "none is asked for before one was shown"
    now = int(time.time()) // 30
    assert eva.ask("/me/codes/begin", "POST", {"code": "000000"})[0] == 409
    assert eva.ask("/me/codes/begin", "POST", {"code": code_of(secret, now)})[0] == 200
    assert login(clinic, "eva")[1] == 401
    assert login(clinic, "eva", code=code_of(secret, now))[1] == 401, "it was used"
    assert login(clinic, "eva", code=code_of(secret, now + 1))[1] == 200
    assert eva.ask("/me")[1]["codes"] is True


def a_password_is_changed_by_who_knows_the_old_one(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    ida = invited(clinic, house.admin, "ida", "lead")
    other = login(clinic, "ida")[0]
    fresh = "quite another few words"
    assert ida.ask("/me/password", "POST", {"old": "guessed wrong", "new": fresh})[0] == 403
    assert ida.ask("/me/password", "POST", {"old": PASSWORD, "new": "short"})[0] == 422
    assert ida.ask("/me/password", "POST", {"old": PASSWORD, "new": fresh})[0] == 200
    assert ida.ask("/me")[0] == 200 and other.ask("/me")[0] == 401
    assert login(clinic, "ida")[1] == 401 and login(clinic, "ida", fresh)[1] == 200


def bound(house, name):
    """What that bound holds, and how often something found no room in it."""
    told = house.admin.ask("/metrics")[1]
    return tuple(float(re.search(rf'^lumbar_bound_{what}{{bound="{name}"}} (\S+)$', told, re.MULTILINE)[1])
                 for what in ("used", "overflow_total"))


def of_too_many_logins_the_oldest_ends(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    invited(clinic, house.admin, "uma", "lead")
    logins = [login(clinic, "uma") for _ in range(20)]
    assert {status for _, status, _ in logins} == {200}, logins
    first, newest = logins[0][0], logins[-1][0]
    assert bound(house, "logins") == (20, 1), "that of the invitation has gone"
    assert login(clinic, "uma")[1] == 200 and bound(house, "logins") == (20, 2)
    assert first.ask("/me")[0] == 401 and newest.ask("/me")[0] == 200


def a_deed_is_of_who_logged_in_whatever_they_say(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    assert house.lead.ask("/rooms/room-1/pause", "POST", {"what": "audio", "seconds": 60,
                                                          "by": "somebody else"})[0] == 200
    room = house.lead.ask("/rooms")[1]["rooms"][0]
    assert room["paused"]["audio"]["by"] == "lena", room
    line = [l for l in HOUSE[0].trail() if l["what"].startswith("POST /rooms")][-1]
    assert (line["who"], line["role"], line["about"]) == ("lena", "lead", "room-1"), line


def the_trail_tells_who_did_and_saw_what(build):
    house, clinic = HOUSE[0], HOUSE[0].clinic
    house.lead.ask(f"/clients/{CLIENT}")
    house.anna.ask("/users")
    said = wait_for("all of it", lambda: (lambda lines: lines if all(any(
        (l["who"], l["what"], l["outcome"]) == line for l in lines) for line in (
            ("anna", "GET /users", 403), ("lena", "GET /clients/{name}", 200))) else None)(
                HOUSE[0].trail()))
    by = {(l["who"], l["what"], l["about"]): l for l in said}
    assert ("lena", "GET /clients/{name}", "client 1") in by, sorted(by)
    assert any(l["what"] == "login" and l["who"] == "lena" for l in said)
    assert any(l["what"] == "login refused" and l["who"] == "unknown" for l in said)
    assert any(l["what"] == "POST /setup" and l["door"] == "socket" for l in said)
    assert any(l["what"] == "LIVE /live/wall" for l in said)
    text = json.dumps(said)
    assert CLIENT not in text and PASSWORD not in text and "nobody-at-all" not in text
    ended = clinic.ctl("audit", "list", "--last", "200")
    assert ended.returncode == 0 and "GET /clients/{name}: client 1" in ended.stdout, ended


def a_trail_that_was_changed_is_found(build):
    clinic = HOUSE[0].clinic
    ended = clinic.ctl("audit", "verify")
    assert ended.returncode == 0 and "all as they were written" in ended.stdout, ended
    export = clinic.folder / "trail.jsonl"
    assert clinic.ctl("audit", "export", "--out", str(export)).returncode == 0
    lines = export.read_text().splitlines()
    last = json.loads(lines[-1])
    head = f"{last['id']}:{last['hash']}"

    def verified(changed, *arguments):
        export.write_text("\n".join(changed) + "\n")
        return clinic.ctl("audit", "verify", str(export), *arguments, config=False)
    assert verified(lines, "--head", head).returncode == 0
    for field, value in (("who", "admin"), ("at_ms", 1), ("outcome", 200), ("why", "x"), ("about", "x")):
        line = json.loads(lines[9])
        line[field] = value if line[field] != value else "y"
        said = verified(lines[:9] + [json.dumps(line)] + lines[10:])
        assert said.returncode == 1 and "line 10 was changed" in said.stdout, (field, said)
    said = verified(lines[:5] + lines[6:])
    assert said.returncode == 1 and "line 6 is missing" in said.stdout, said
    said = verified(lines[:5] + [lines[6], lines[5]] + lines[7:])
    assert said.returncode == 1 and "stands behind a later one" in said.stdout, said
    said = verified(lines[:-3], "--head", head)
    assert said.returncode == 1 and "missing at the end" in said.stdout, said
    said = verified(lines + lines[-1:])
    assert said.returncode == 1, said


def the_command_makes_accounts_and_tokens_without_a_password(build):
    clinic = HOUSE[0].clinic
    ended = clinic.ctl("users", "add", "zoe", "--role", "therapist", "--rooms", "room-2")
    assert ended.returncode == 0 and "/#/enrol/" in ended.stdout, ended
    assert "zoe" in clinic.ctl("users", "list").stdout
    assert clinic.ctl("users", "disable", "zoe").returncode == 0
    assert clinic.ctl("users", "add", "zoe2").returncode == 2
    assert clinic.ctl("setup").returncode == 1
    ended = clinic.ctl("tokens", "add", "hall", "--days", "2")
    assert ended.returncode == 0 and "/#/token/" in ended.stdout, ended
    number = re.search(r"^token (\d+)", ended.stdout, re.M)[1]
    assert "hall" in clinic.ctl("tokens", "list").stdout
    assert clinic.ctl("tokens", "revoke", number).returncode == 0
    assert "hall" not in clinic.ctl("tokens", "list").stdout


def by_tls_the_cookie_is_bound_to_the_host(build):
    """And the links of a hub that listens on all addresses name one by which it is reached."""
    trusting = ssl._create_unverified_context()
    with Clinic(build, accounts=True, start=False) as clinic:
        text = (clinic.folder / "lumbard.yaml").read_text()
        (clinic.folder / "lumbard.yaml").write_text(text.replace(
            "web:\n", f"web:\n  listen: 0.0.0.0\n  tls: true\n  own_certificate: {clinic.folder}/web.pem\n"))
        clinic.start_hub()
        link = clinic.ask("/setup", "POST", {})[1]["link"]
        assert link.startswith("https://") and link.endswith(link.rsplit("/", 1)[1]), link

        def ask(path, body=None, **headers):
            door = http.client.HTTPSConnection("127.0.0.1", clinic.web_port, timeout=20, context=trusting)
            door.request("GET" if body is None else "POST", "/api/v1" + path,
                         json.dumps(body) if body is not None else None,
                         {"Content-Type": "application/json", **headers})
            answer = door.getresponse()
            answer.read()
            door.close()
            return answer.status, answer.getheader("Set-Cookie")
        status, cookie = ask("/enrol", {"secret": link.rsplit("/", 1)[1], "password": PASSWORD})
        assert status == 200 and cookie.startswith("__Host-lumbar=") and "; Secure" in cookie, cookie
        cookie = cookie.split(";")[0]
        assert ask("/me", Cookie=cookie)[0] == 200
        assert ask("/me", Cookie=cookie.replace("__Host-", ""))[0] == 401
        assert ask("/logout", {}, Cookie=cookie)[0] == 403
        assert ask("/logout", {}, Cookie=cookie, Origin=f"https://127.0.0.1:{clinic.web_port}")[0] == 200


def nothing_secret_stands_in_the_log(build):
    clinic = HOUSE[0].clinic
    log = clinic.log_path.read_text(errors="replace")
    secrets_of = {PASSWORD, CLIENT, "quite another few words", "guess ", "wrong number", "Ben is ill"}
    for people in (HOUSE[0].admin, HOUSE[0].lead, HOUSE[0].anna):
        secrets_of.add(people.cookie)
    for word in secrets_of:
        assert word not in log, word
    assert not re.search(r"[A-Za-z0-9_-]{43}", re.sub(r"[0-9a-f]{64}", "", log)), log


if __name__ == "__main__":
    CASES = [nobody_comes_in_before_a_link_was_taken_up, a_cookie_is_for_the_hub_alone,
             a_login_gets_a_new_secret_and_the_old_one_is_of_no_use, only_the_one_cookie_counts,
             sockets_close_when_the_right_to_them_ends, the_last_administrator_stays,
             an_edit_overwrites_nobodys,
             who_has_no_account_is_told_no_more_and_no_sooner,
             a_session_is_not_taken_over_by_another_sites_page,
             a_wall_comes_in_by_its_token_and_only_looks,
             what_is_made_for_people_by_a_key_is_made_once,
             glass_is_broken_with_a_reason_and_the_lead_is_told,
             codes_are_asked_for_when_they_were_shown_and_hold_once,
             a_password_is_changed_by_who_knows_the_old_one, of_too_many_logins_the_oldest_ends,
             a_deed_is_of_who_logged_in_whatever_they_say, the_trail_tells_who_did_and_saw_what,
             a_trail_that_was_changed_is_found,
             the_command_makes_accounts_and_tokens_without_a_password,
             who_guesses_waits_and_locks_nobody_out, by_tls_the_cookie_is_bound_to_the_host,
             nothing_secret_stands_in_the_log]
    with Clinic(sys.argv[1], rooms=ROOMS, accounts=True) as clinic_of_all:
        HOUSE.append(House(clinic_of_all))
        ends = [try_case(case) for case in CASES]
    sys.exit(1 if "FAILED" in ends else 0)
