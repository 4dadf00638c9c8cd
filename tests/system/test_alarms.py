"""What staff do with alarms, before the real hub: by the API, by lumbarctl, through a kill and a
reload."""
import json
import shutil
import signal
import time

from clinic import Clinic, Mqtt, run, wait_for

RULES = """
rules:
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: low
    text: "Bent {value}."
    escalate: 2 s
  - name: hot
    title: Hot
    metric: massage/skin_temperature
    above: 43 Cel
    priority: high
    latch: true
    text: "Skin {value}."
"""


def stands(clinic, rule):
    """The alarm of the rule, if it is known and not over."""
    for alarm in clinic.ask("/alarms")[1]["alarms"]:
        if alarm["rule"] == rule:
            return alarm
    return None


def post(clinic, number, deed, **body):
    return clinic.ask(f"/alarms/{number}/{deed}", "POST", body)


def transitions(clinic, number):
    import sqlite3
    file = sqlite3.connect(f"file:{clinic.folder}/history.db?mode=ro", uri=True)
    rows = file.execute("SELECT what, who, why FROM alarm_transition WHERE alarm = ? "
                        "ORDER BY change", (number,)).fetchall()
    file.close()
    return rows


def an_alarm_is_acknowledged_and_that_is_on_the_disk(build):
    with Clinic(build, rules=RULES) as clinic:
        device = clinic.device("massage", "m-01")
        device.send(skin_temperature=[44.5])
        alarm = wait_for("an alarm", lambda: stands(clinic, "hot"))
        assert alarm["presence"] == "on" and alarm["state"] == "on", alarm
        number = alarm["number"]
        status, answer = post(clinic, number, "ack", by="Ana", why="pad is lifted")
        assert status == 200 and answer["stored"] and answer["presence"] == "ack", answer
        assert answer["acknowledged"]["by"] == "Ana", answer
        assert answer["acknowledged"]["why"] == "pad is lifted", answer
        # Answered means stored: it survives whatever comes now.
        clinic.stop_hub(signal.SIGKILL)
        assert transitions(clinic, number)[:2] == [("on", None, None),
                                                   ("acknowledged", "Ana", "pad is lifted")]
        clinic.start_hub()
        alarm = stands(clinic, "hot")
        assert alarm["number"] == number and alarm["presence"] == "ack", alarm
        assert alarm["acknowledged"]["by"] == "Ana", alarm
        assert post(clinic, number, "unack", by="Ben")[1]["presence"] == "on"
        assert "acknowledged" not in stands(clinic, "hot")
        # Latched when it is over, until somebody resets it.
        device.send(skin_temperature=[38.0])
        wait_for("latched", lambda: stands(clinic, "hot")["presence"] == "latched")
        done = clinic.ctl("alarms", "reset", str(number), "--why", "pad was aired", "--json")
        assert done.returncode == 0, done
        assert json.loads(done.stdout)["presence"] == "off", done
        assert stands(clinic, "hot") is None
        # By whoever asked, and why; what is not latched cannot be.
        assert ("reset", "pad was aired") in [(what, why) for what, _, why in
                                              transitions(clinic, number)]
        done = clinic.ctl("alarms", "reset", str(number))
        assert done.returncode == 1 and done.stderr, done


def a_shelf_returns_by_itself_and_by_hand(build):
    with Clinic(build, rules=RULES) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        number = wait_for("an alarm", lambda: stands(clinic, "hot"))["number"]
        status, answer = post(clinic, number, "shelve", by="Ana", why="pad is off", seconds=3)
        assert status == 200 and answer["shelved"]["why"] == "pad is off", answer
        assert post(clinic, number, "ack")[1]["presence"] == "ack"
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()  # the shelf's time goes on
        wait_for("it returned", lambda: "shelved" not in stands(clinic, "hot"))
        assert stands(clinic, "hot")["presence"] == "on", "returned unacknowledged"
        post(clinic, number, "shelve", by="Ana", why="pad is off", seconds=3600)
        assert "shelved" in stands(clinic, "hot")
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("reloaded", lambda: clinic.said("configuration reloaded"))
        assert "shelved" in stands(clinic, "hot"), "it survives a reload"
        status, answer = post(clinic, number, "unshelve", by="Ben")
        assert answer["presence"] == "ack" and answer["acknowledged"]["by"] == "Ben", answer


def nobody_there_makes_it_more_urgent(build):
    with Clinic(build, rules=RULES) as clinic:
        clinic.device("posture", "p-01").send(trunk_inclination=[25.0])
        wait_for("an alarm", lambda: stands(clinic, "bent"))
        assert stands(clinic, "bent")["priority"] == "low"
        wait_for("medium", lambda: stands(clinic, "bent")["priority"] == "medium")
        wait_for("the broker is told", lambda: [
            m for m in clinic.received("lumbar/v1/alarm/room-1/bent")
            if json.loads(m).get("priority") == "medium"])


def a_high_one_that_nobody_acknowledges_is_told_again(build):
    rules = RULES.replace("latch: true", "escalate: 2 s")
    with Clinic(build, rules=rules) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        wait_for("told again", lambda: [
            m for m in map(json.loads, clinic.received("lumbar/v1/alarm/room-1/hot"))
            if m.get("escalated") == 1 and m["priority"] == "high" and m["presence"] == "on"], 20)
        alarm = stands(clinic, "hot")
        assert alarm["escalated"] == 1 and alarm["priority"] == "high", alarm
        assert clinic.said("alarm hot escalated")
        what = [w for w, *_ in wait_for("it is stored", lambda: [
            t for t in [transitions(clinic, alarm["number"])] if len(t) > 1], 10)[0]]
        assert what == ["on", "escalated"], what


def a_lost_signal_never_ends_an_alarm(build):
    with Clinic(build, rules=RULES) as clinic:
        device = clinic.device("massage", "m-01")
        device.send(skin_temperature=[44.5])
        number = wait_for("an alarm", lambda: stands(clinic, "hot"))["number"]
        lost = wait_for("lost", lambda: stands(clinic, "hot").get("unknown_since"), 30)
        assert lost and stands(clinic, "hot")["presence"] == "on"
        assert post(clinic, number, "ack", by="Ana")[1]["state"] == "lost-ack"
        device.send(skin_temperature=[44.0])
        wait_for("the value is back", lambda: "unknown_since" not in stands(clinic, "hot"))
        alarm = stands(clinic, "hot")
        assert alarm["presence"] == "on", f"who knew of the loss knows no more: {alarm}"
        assert alarm["number"] == number


def what_cannot_be_done_is_refused_in_a_sentence(build):
    with Clinic(build, rules=RULES) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        number = wait_for("an alarm", lambda: stands(clinic, "hot"))["number"]
        for where, deed, body, status, words in [
                (999, "ack", {}, 404, "no alarm 999"),
                ("x", "ack", {}, 422, "number"),
                (number, "reset", {}, 409, "cannot be reset"),
                (number, "unack", {}, 409, "cannot be unacknowledged"),
                (number, "shelve", {"seconds": 60}, 422, "why"),
                (number, "shelve", {"why": "x"}, 422, "seconds"),
                (number, "shelve", {"why": "x", "seconds": 0}, 422, "seconds"),
                (number, "shelve", {"why": "x", "seconds": 86401}, 422, "seconds"),
                (number, "ack", {"by": "x" * 48}, 422, "by"),
                (number, "ack", {"why": "x" * 168}, 422, "why"),
                (number, "ack", {"until": 7}, 422, "until"),
                (number, "dance", {}, 404, "")]:
            got, problem = clinic.ask(f"/alarms/{where}/{deed}", "POST", body)
            assert got == status and words in problem["detail"], (where, deed, body, got, problem)
        assert clinic.ask(f"/alarms/{number}/ack", "POST", {}, local=False,
                          headers={"Origin": "http://evil.example"})[0] == 403
        assert stands(clinic, "hot")["presence"] == "on"
        origin = {"Origin": f"http://127.0.0.1:{clinic.web_port}"}
        status, answer = clinic.ask(f"/alarms/{number}/ack", "POST", {}, local=False,
                                    headers=origin)
        assert status == 200 and answer["acknowledged"]["by"] == "page", answer


def the_command_does_it_too(build):
    with Clinic(build, rules=RULES) as clinic:
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        number = str(wait_for("an alarm", lambda: stands(clinic, "hot"))["number"])
        ended = clinic.ctl("alarms", "ack", number, "--why", "seen", "--by", "Ana")
        assert ended.returncode == 0 and "ack" in ended.stdout, ended
        assert stands(clinic, "hot")["acknowledged"]["why"] == "seen"
        ended = clinic.ctl("alarms", "ack", number)
        assert ended.returncode == 1 and "cannot be acknowledged" in ended.stderr, ended
        ended = clinic.ctl("alarms", "shelve", number, "--for", "15min", "--why", "pad is off")
        assert ended.returncode == 0, ended
        assert "shelved" in clinic.ctl("alarms", "list").stdout
        assert json.loads(clinic.ctl("alarms", "unshelve", number, "--json").stdout)["stored"]
        for arguments in [["shelve", number], ["shelve", number, "--for", "15min"],
                          ["shelve", number, "--for", "soon", "--why", "x"], ["ack"],
                          ["ack", number, "--for", "15min"], ["ack", number, "2"]]:
            ended = clinic.ctl("alarms", *arguments)
            assert ended.returncode == 2 and "usage:" in ended.stderr, (arguments, ended)
        assert clinic.ctl("alarms", "ack", "--help").returncode == 0


def retained(clinic):
    """What the broker tells a client that comes now: topic (room/rule) and presence."""
    client = Mqtt(clinic.broker_port, "who-comes-now", ["lumbar/v1/alarm/#"])
    time.sleep(0.7)
    client.close()
    return {topic.removeprefix("lumbar/v1/alarm/"): json.loads(payload)["presence"]
            for topic, payload, _ in client.received}


def told(clinic, **expected):
    wanted = {topic.replace("__", "/").replace("_", "-"): word for topic, word in expected.items()}
    found = {}

    def agrees():
        found.update(retained(clinic))
        return all(found.get(topic) == word for topic, word in wanted.items())
    try:
        wait_for("the broker knows", agrees, 15)
    except AssertionError:
        raise AssertionError(f"the broker knows {found}, not {wanted}") from None


def the_broker_never_keeps_a_word_that_is_over(build):
    rooms = {"salon": ["posture/p-01"], "quiet": ["massage/m-01"]}
    with Clinic(build, rules=RULES, rooms=rooms) as clinic:
        clinic.device("posture", "p-01").send(trunk_inclination=[25.0])
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        told(clinic, salon__bent="on", quiet__hot="on")
        # A reload renames the room: no word stays behind on its old topic.
        clinic.write_config(rooms={"hall": ["posture/p-01"], "quiet": ["massage/m-01"]})
        clinic.hub.send_signal(signal.SIGHUP)
        told(clinic, salon__bent="off", hall__bent="on", quiet__hot="on")
        # Killed, and a rule and a room are others when it comes again.
        time.sleep(2)  # rows are sealed once a second
        clinic.stop_hub(signal.SIGKILL)
        clinic.write_config(rooms={"ward": ["posture/p-01"], "quiet": ["massage/m-01"]},
                            rules=RULES.replace("name: hot", "name: warm"))
        clinic.start_hub()
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        told(clinic, quiet__hot="off", quiet__warm="on", hall__bent="off", ward__bent="on")
        # A broker that lost what it retained is told everything again.
        clinic.stop_broker(signal.SIGKILL)
        shutil.rmtree(clinic.folder / "broker")
        clinic.start_broker()
        told(clinic, ward__bent="on", quiet__warm="on")


if __name__ == "__main__":
    run([an_alarm_is_acknowledged_and_that_is_on_the_disk, a_shelf_returns_by_itself_and_by_hand,
         the_broker_never_keeps_a_word_that_is_over, nobody_there_makes_it_more_urgent,
         a_high_one_that_nobody_acknowledges_is_told_again,
         a_lost_signal_never_ends_an_alarm,
         what_cannot_be_done_is_refused_in_a_sentence, the_command_does_it_too])
