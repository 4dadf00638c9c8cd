"""A device that somebody puts into another room: at once, with its alarms and its part in a session,
over a kill, and until the configuration says something new of it. By the API and by lumbarctl."""
import json
import signal
import sqlite3

from clinic import Clinic, run, wait_for

RULES = """
rules:
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: medium
    text: "Bent {value}."
"""
ROOMS = {"room-1": ["massage/m-01", "posture/p-01"], "room-2": [], "room-3": []}
PLACE = "/devices/posture/p-01/room"


def place(clinic):
    return clinic.ask(PLACE)[1]


def put(clinic, room, tag="*", **more):
    return clinic.ask(PLACE, "PUT", {"room": room, **more}, headers={"If-Match": tag} if tag else None)


def told(clinic, room):
    """The newest word about the alarm in this room."""
    words = [json.loads(payload)["presence"] for topic, payload, _ in list(clinic.mqtt.received)
             if topic == f"lumbar/v1/alarm/{room}/bent" and payload]
    return words[-1] if words else None


def stays(clinic, number):
    """When its part in the session began and ended, each time."""
    return [(stay["from"], stay["to"]) for stay in clinic.ask(f"/sessions/{number}")[1]["devices"]
            if stay["device"] == "posture/p-01"]


def it_goes_at_once_with_its_alarms_and_its_part_in_a_session(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        browser, device = clinic.browser(), clinic.device("posture", "p-01")
        numbers = [clinic.ask("/sessions", "POST", {"room": room, "therapist": "AB"})[1]["id"]
                   for room in ("room-1", "room-2")]
        for number in numbers:
            assert clinic.ask(f"/sessions/{number}/start", "POST", {})[0] == 200
        device.send(trunk_inclination=[25.0])
        wait_for("the alarm is told", lambda: told(clinic, "room-1") == "on")
        before = place(clinic)
        assert before["room"] == before["configured"] == "room-1" and before["by"] is None, before

        status, said = put(clinic, "room-2", before["tag"], by="Ana")
        assert status == 200 and said["stored"], said
        assert (said["room"], said["configured"], said["by"]) == ("room-2", "room-1", "Ana"), said
        [alarm] = clinic.ask("/alarms")[1]["alarms"]
        assert alarm["room"] == "room-2", alarm
        [(_, left)], [(came, still)] = (stays(clinic, number) for number in numbers)
        assert left and left <= came and still is None, (left, came, still)
        browser.until(lambda f: any(d.name == "p-01" and d.room == 2 for d in f.devices), "the page")
        wait_for("the broker is told of both rooms", lambda: (told(clinic, "room-1"),
                 told(clinic, "room-2")) == ("off", "on"))
        device.send(trunk_inclination=[26.0])
        wait_for("what it says goes on", lambda: clinic.ask("/devices/posture/p-01")[1]["values"]
                 ["trunk_inclination"]["value"] == 26)

        # Who looked at it before is asked to look again; asked once more, it changes nothing.
        assert put(clinic, "room-3", before["tag"])[0] == 412
        assert put(clinic, "room-3", None)[0] == 428
        assert put(clinic, "room-2")[1]["at"] == said["at"]
        for room, wanted in (("nowhere", 404), (7, 422), ("", 422)):
            assert put(clinic, room)[0] == wanted, room
        assert clinic.ask("/devices/posture/p-99/room")[0] == 404
        assert place(clinic)["room"] == "room-2"

        # Back where it belongs, nobody has put it anywhere; a session has its second stay.
        assert put(clinic, "room-1")[1]["by"] is None
        [first, second] = stays(clinic, numbers[0])
        assert first[1] and second[0] >= first[1] and second[1] is None, (first, second)
        assert stays(clinic, numbers[1])[0][1], "it left the other"
        assert put(clinic, None)[1]["room"] is None
        wait_for("the broker is told", lambda: told(clinic, "unassigned") == "on")
        wait_for("in the trail", lambda: any(
            line["what"] == "PUT /devices/{kind}/{name}/room" and line["about"] == "posture/p-01 in room-2"
            for line in clinic.ask("/audit")[1]["lines"]))


def reload(clinic, **rooms):
    clinic.log_from = clinic.log_path.stat().st_size
    clinic.write_config(rooms={name.replace("_", "-"): devices for name, devices in rooms.items()})
    clinic.hub.send_signal(signal.SIGHUP)
    wait_for("reloaded", lambda: clinic.said("configuration reloaded"))


def it_stays_over_a_kill_and_until_the_configuration_says_something_new(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        assert put(clinic, "room-2", by="Ana")[1]["stored"]
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert (place(clinic)["room"], place(clinic)["by"]) == ("room-2", "Ana")
        # Nothing new of this device: it stays, though rooms have other numbers.
        reload(clinic, room_0=[], room_1=["posture/p-01"], room_2=["massage/m-01"])
        assert place(clinic)["room"] == "room-2"
        # Something new: that is the newer word.
        reload(clinic, room_1=[], room_2=[], room_3=["posture/p-01"])
        assert clinic.said("the configuration is newer than that Ana put it into room-2")
        assert (place(clinic)["room"], place(clinic)["by"]) == ("room-3", None)
        # The room is gone.
        assert put(clinic, "room-1")[1]["stored"]
        reload(clinic, room_2=[], room_3=["posture/p-01"])
        assert (place(clinic)["room"], place(clinic)["by"]) == ("room-3", None)
        # And what was changed while the hub was away.
        assert put(clinic, None)[1]["stored"]
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert place(clinic)["room"] is None and place(clinic)["by"] == "lumbarctl"
        clinic.stop_hub()
        clinic.write_config(rooms={"room-2": ["posture/p-01"]})
        clinic.start_hub()
        assert (place(clinic)["room"], place(clinic)["by"]) == ("room-2", None)
        clinic.stop_hub()
        with sqlite3.connect(clinic.folder / "history.db") as db:
            assert db.execute("SELECT count(*) FROM placement").fetchone() == (0,)
        db.close()
        clinic.start_hub()


def lumbarctl_puts_it_and_tells_where_it_is(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        for arguments, code, words in [
                (["posture/p-01"], 0, "posture/p-01: room-1\n"),
                (["posture/p-01", "room-3"], 0, "room-3, put there by lumbarctl"),
                (["posture/p-01", "--out"], 0, "in no room, put there by"),
                (["posture/p-01", "room-1"], 0, "posture/p-01: room-1\n"),
                (["posture/p-01", "nowhere"], 1, "There is no room 'nowhere'"),
                (["posture/p-99"], 1, "no device posture/p-99"), (["p-01"], 2, "'p-01' is no device"),
                ([], 2, "usage:"), (["posture/p-01", "room-1", "--out"], 2, "usage:")]:
            ended = clinic.ctl("place", *arguments)
            assert ended.returncode == code and words in ended.stdout + ended.stderr, (arguments, ended)
        assert json.loads(clinic.ctl("place", "posture/p-01", "--json").stdout)["room"] == "room-1"


if __name__ == "__main__":
    run([it_goes_at_once_with_its_alarms_and_its_part_in_a_session,
         it_stays_over_a_kill_and_until_the_configuration_says_something_new,
         lumbarctl_puts_it_and_tells_where_it_is])
