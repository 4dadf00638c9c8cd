"""Audio paused, alarm paused and acknowledged are three things: before the real hub, through a kill and
a reload."""
import json
import signal
import time

from clinic import Clinic, run, wait_for
from pager import Pager

RULES = """
rules:
  - name: hot
    title: Hot
    metric: massage/skin_temperature
    above: 43 Cel
    priority: high
    text: "Skin {value}."
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: low
    escalate: 3 s
    text: "Bent {value}."
"""
ROOMS = {"salon": ["posture/p-01", "massage/m-01"], "quiet": ["massage/m-02"]}


def paused(clinic, room):
    return next(r["paused"] for r in clinic.ask("/rooms")[1]["rooms"] if r["name"] == room)


def post(clinic, room, deed, **body):
    return clinic.ask(f"/rooms/{room}/{deed}", "POST", body)


def alarm(clinic, rule):
    return next((a for a in clinic.ask("/alarms")[1]["alarms"] if a["rule"] == rule), None)


def a_pause_is_told_kept_and_ends_by_itself(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        browser = clinic.browser()
        status, answer = post(clinic, "salon", "pause", what="audio", seconds=120, by="Ana")
        assert status == 200 and answer["stored"], answer
        assert answer["paused"]["audio"]["by"] == "Ana" and "alarm" not in answer["paused"], answer
        assert post(clinic, "salon", "pause", what="alarm", seconds=4)[1]["stored"]
        frame = browser.until(lambda f: len(f.pauses.pauses) == 2, "the page is told")
        assert [(p.room, p.type, p.hand.by) for p in frame.pauses.pauses] == \
            [(1, 0, "Ana"), (1, 1, "lumbarctl")], frame.pauses
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert set(paused(clinic, "salon")) == {"audio", "alarm"}
        clinic.write_config(rooms={"quiet": ["massage/m-02"], **ROOMS})
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("reloaded", lambda: clinic.said("configuration reloaded"))
        assert paused(clinic, "quiet") == {} and "audio" in paused(clinic, "salon")
        wait_for("one ends by itself", lambda: set(paused(clinic, "salon")) == {"audio"}, 10)
        assert post(clinic, "salon", "resume", what="audio")[0] == 200
        assert paused(clinic, "salon") == {}
        status, problem = post(clinic, "salon", "resume", what="audio")
        assert status == 409 and "audio is not paused" in problem["detail"], problem
        time.sleep(1.5)  # rows are sealed once a second
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert paused(clinic, "salon") == {}


def what_begins_ends_the_silence_of_its_room_and_of_no_other(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        for room in ROOMS:
            post(clinic, room, "pause", what="audio", seconds=300)
            post(clinic, room, "pause", what="alarm", seconds=300)
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        wait_for("it is heard", lambda: set(paused(clinic, "salon")) == {"alarm"})
        assert set(paused(clinic, "quiet")) == {"audio", "alarm"}
        # Silenced again, it stays so: nothing begins. That it is acknowledged is something else.
        post(clinic, "salon", "pause", what="audio", seconds=300)
        number = alarm(clinic, "hot")["number"]
        assert clinic.ask(f"/alarms/{number}/ack", "POST", {})[0] == 200
        assert set(paused(clinic, "salon")) == {"audio", "alarm"}
        assert alarm(clinic, "hot")["presence"] == "ack"
        clinic.device("massage", "m-01").send(skin_temperature=[38.0])
        wait_for("it is over", lambda: alarm(clinic, "hot") is None)
        assert set(paused(clinic, "salon")) == {"audio", "alarm"}


def a_paused_room_calls_nobody_and_calls_when_it_is_over(build):
    pager = Pager()
    with Clinic(build, rules=RULES, rooms=ROOMS,
                extra=f"webhook:\n  url: http://127.0.0.1:{pager.port}/\n") as clinic:
        post(clinic, "salon", "pause", what="alarm", seconds=600)
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        clinic.device("posture", "p-01").send(trunk_inclination=[30.0])
        wait_for("both stand", lambda: alarm(clinic, "hot") and alarm(clinic, "bent"))
        time.sleep(4.5)
        assert alarm(clinic, "bent")["escalated"] == 0, "it grew more urgent"
        assert pager.told == [], pager.told
        said = json.loads(clinic.received("lumbar/v1/alarm/salon/hot")[-1])
        assert said["presence"] == "on", "it is shown all the same"
        assert post(clinic, "salon", "resume", what="alarm")[0] == 200
        wait_for("it calls", lambda: pager.events("hot") == [("stands", "high")])
        assert alarm(clinic, "bent")["escalated"] == 0, "its time begins anew"
        wait_for("the other one, too", lambda: pager.events("bent") == [("escalated", "medium")])
    pager.close()


def what_cannot_be_paused_is_refused_in_a_sentence(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        for room, deed, body, status, words in [
                ("nowhere", "pause", {"what": "audio", "seconds": 9}, 404, "no room 'nowhere'"),
                ("salon", "pause", {"what": "all", "seconds": 9}, 422, "audio or alarm"),
                ("salon", "pause", {"seconds": 9}, 422, "'what' is missing"),
                ("salon", "pause", {"what": "audio"}, 422, "seconds"),
                ("salon", "pause", {"what": "audio", "seconds": 601}, 422, "1..600"),
                ("salon", "resume", {"what": "alarm"}, 409, "alarm is not paused")]:
            got, problem = post(clinic, room, deed, **body)
            assert got == status and words in problem["detail"], (room, deed, body, got, problem)


def the_command_does_it_too(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        ended = clinic.ctl("alarms", "silence", "salon", "--for", "2min", "--by", "Ana")
        assert ended.returncode == 0 and "audio paused until" in ended.stdout, ended
        ended = clinic.ctl("alarms", "pause", "salon", "--for", "30s")
        assert ended.returncode == 0 and "alarms paused until" in ended.stdout, ended
        assert set(paused(clinic, "salon")) == {"audio", "alarm"}
        assert clinic.ctl("alarms", "resume", "salon").returncode == 0
        assert paused(clinic, "salon") == {}
        ended = clinic.ctl("alarms", "resume", "salon")
        assert ended.returncode == 1 and "nothing is paused" in ended.stderr, ended
        for arguments in [["silence"], ["silence", "salon"], ["resume", "salon", "--for", "2min"],
                          ["pause", "salon", "--for", "soon"]]:
            ended = clinic.ctl("alarms", *arguments)
            assert ended.returncode == 2 and "usage:" in ended.stderr, (arguments, ended)
        ended = clinic.ctl("alarms", "pause", "salon", "--for", "1h")
        assert ended.returncode == 1 and "1..600" in ended.stderr, ended


if __name__ == "__main__":
    run([a_pause_is_told_kept_and_ends_by_itself,
         what_begins_ends_the_silence_of_its_room_and_of_no_other,
         a_paused_room_calls_nobody_and_calls_when_it_is_over,
         what_cannot_be_paused_is_refused_in_a_sentence, the_command_does_it_too])
