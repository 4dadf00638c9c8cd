"""The JSON API and lumbarctl's socket, before the real hub: what it says, to whom, and how."""
import json
import os
import re
import stat
import subprocess

from clinic import Clinic, run, wait_for

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


def the_hub_says_how_it_is_on_both_doors(build):
    with Clinic(build, rules=RULE) as clinic:
        for local in (True, False):
            status, answer = clinic.ask("/status", local=local)
            assert status == 200 and answer["clinic"] == "Test clinic", answer
            assert answer["spool"]["safe"] and answer["broker"]["connected"], answer
            assert answer["complaints"] == [], answer
            status, answer = clinic.ask("/health", local=local)
            assert (status, answer["status"]) == (200, "ok"), answer
        status, answer = clinic.ask("/rooms")
        assert [room["name"] for room in answer["rooms"]] == list(clinic.rooms), answer
        mode = os.stat(f"{clinic.folder}/ctl").st_mode
        assert stat.S_ISSOCK(mode) and mode & 0o777 == 0o660, oct(mode)
    assert not os.path.exists(f"{clinic.folder}/ctl")


def a_device_is_told_with_its_values(build):
    with Clinic(build, rules=RULE) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[41.5])
        wait_for("a message", lambda: clinic.ask("/devices/massage/m-01")[1].get("messages"))
        status, device = clinic.ask("/devices/massage/m-01")
        assert status == 200 and device["name"] == "massage/m-01", device
        value = device["values"]["skin_temperature"]
        assert value["value"] == 41.5 and value["unit"] == "Cel", value
        assert value["state"] == "fresh" and 0 <= value["age_ms"] < 3000, value
        assert device["loss_percent"] == 0 and device["room"] == list(clinic.rooms)[0], device
        status, answer = clinic.ask(f"/devices?room={device['room']}")
        assert "massage/m-01" in [d["name"] for d in answer["devices"]], answer
        assert clinic.ask("/devices?room=nowhere")[1]["devices"] == []
        status, problem = clinic.ask("/devices/massage/m-99")
        assert status == 404 and "m-99" in problem["detail"], problem


def an_alarm_is_listed_while_it_stands(build):
    with Clinic(build, rules=RULE) as clinic:
        assert clinic.ask("/alarms")[1]["alarms"] == []
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])
        alarm = clinic.ask("/alarms")[1]["alarms"][0]
        assert alarm["rule"] == "warm" and alarm["priority"] == "medium", alarm
        assert alarm["value"] == 44.5 and alarm["text"] == "Skin 44.5 °C.", alarm
        assert clinic.ask(f"/alarms/{alarm['number']}")[1] == alarm
        assert clinic.ask("/alarms/999")[0] == 404
        assert clinic.ask("/alarms/x")[0] == 422
        assert clinic.ask("/alarms?limit=0")[0] == 422


def other_peoples_pages_get_nothing(build):
    with Clinic(build, rules=RULE) as clinic:
        for headers, wanted in [({"Origin": "http://evil.example"}, 403),
                                ({"Host": "evil.example"}, 421),
                                ({"Origin": f"http://127.0.0.1:{clinic.web_port}"}, 200)]:
            status, answer = clinic.ask("/rooms", local=False, headers=headers)
            assert status == wanted, (headers, status, answer)


def what_could_not_be_used_is_counted_where_people_look(build):
    with Clinic(build, rules=RULE) as clinic:
        browser, device = clinic.browser(), clinic.device("posture", "p-01")
        for payload in (b"\xff\xff", b"\xff\xfe", b"x" * 20000):
            clinic.mqtt.publish(device.topic, payload)
        assert clinic.ask("/rooms", local=False, headers={"Host": "evil.example"})[0] == 421
        wait_for("all of it", lambda: (lambda status: (
            status["refused"], status["broker"]["oversize"], status["quarantine"]["held"],
            status["quarantine"]["put"], status["web"]["refused"]) == (2, 1, 2, 2, 1))(
                clinic.ask("/status")[1]))
        browser.until(lambda f: f.HasField("health") and f.health.refused == 2 and
                      f.health.oversize == 1 and f.health.quarantined == 2, "the page's frame")
        said = clinic.ctl("status").stdout
        for words in ("refused 2, too large 1", "quarantine 2 of 2, 0 killed the hub",
                      "history    ok", "clock      set"):
            assert words in said, (words, said)
        assert re.search(r"frames skipped \d+, refused 1", said), said


def the_command_says_it_in_lines_and_in_json(build):
    with Clinic(build, rules=RULE) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])
        ended = clinic.ctl("status")
        assert ended.returncode == 0 and "Test clinic" in ended.stdout, ended
        assert json.loads(clinic.ctl("status", "--json").stdout)["alarms"] == 1
        ended = clinic.ctl("devices")
        line = next(line for line in ended.stdout.splitlines() if "massage/m-01" in line)
        assert line.split()[4] == "1", ended.stdout  # messages
        assert "massage/m-01" in clinic.ctl("rooms").stdout
        ended = clinic.ctl("alarms", "list")
        assert "Skin 44.5 °C." in ended.stdout and "medium" in ended.stdout, ended
        listed = json.loads(clinic.ctl("alarms", "list", "--json").stdout)
        assert [alarm["rule"] for alarm in listed] == ["warm"], listed


def exit_codes_are_as_help_says(build):
    with Clinic(build, rules=RULE) as clinic:
        assert "3 no hub answers" in clinic.ctl("--help", config=False).stdout
        for arguments, code, words in [
                (["status", "--socket", "/nowhere/ctl"], 3, "no hub answers"),
                (["status", "--config", "/nowhere.yaml"], 1, "/nowhere.yaml"),
                (["status", "--nonsense"], 2, "usage:"),
                (["status", "more"], 2, "usage:"),
                (["devices", "--room"], 2, "usage:"),
                (["alarm"], 2, "alarms"),
                (["alarms", "lsit"], 2, "list")]:
            ended = clinic.ctl(*arguments, config=False)
            assert ended.returncode == code and words in ended.stderr, (arguments, ended)
        # Who may not open the socket is told so: as nobody, where we are root.
        if os.geteuid() == 0:
            os.chmod(clinic.folder, 0o755)
            ended = subprocess.run(
                [f"{build}/daemon/lumbarctl", "status", "--socket", f"{clinic.folder}/ctl"],
                capture_output=True, text=True, timeout=30, user=65534, group=65534,
                extra_groups=[])
            assert ended.returncode == 4 and "group" in ended.stderr, ended
        clinic.stop_broker()
        wait_for("the broker's loss", lambda: clinic.ask("/health")[1]["status"] == "degraded")
        ended = clinic.ctl("status")
        assert ended.returncode == 1 and "broker is not connected" in ended.stdout, ended


if __name__ == "__main__":
    run([the_hub_says_how_it_is_on_both_doors, a_device_is_told_with_its_values,
         an_alarm_is_listed_while_it_stands, other_peoples_pages_get_nothing,
         what_could_not_be_used_is_counted_where_people_look,
         the_command_says_it_in_lines_and_in_json, exit_codes_are_as_help_says])
