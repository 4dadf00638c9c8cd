"""Root causes, before the real hub: a device, the broker or the hub that is away hides the alarms that
come of it, says how many, and they are there again when it is back."""
import json
import signal
import time

from clinic import Clinic, run, wait_for
from wearables import Wearables

RULES = """
rules:
  - name: gone
    title: Nothing heard
    metric: posture/trunk_inclination
    absent: 4 s
    priority: medium
    inhibits: device
    text: "Nothing from {device}."
  - name: battery
    title: Battery low
    metric: posture/battery
    below: 20 %
    priority: low
    technical: true
    text: "Battery of {device} at {value}."
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: high
    text: "Bent {value}."
"""
NAMES = [f"p-{i}" for i in range(1, 6)]
UPRIGHT = dict.fromkeys(NAMES, 5.0)
ROOMS = {f"room-{i}": [f"posture/{name}"] for i, name in enumerate(NAMES, 1)}


def alarms(clinic):
    return {(a["rule"], a["device"].split("/")[1]): a for a in clinic.ask("/alarms")[1]["alarms"]}


def behind(clinic, rule):
    """What the alarms of a rule are behind, by device; None: they are in sight."""
    return {device: alarm.get("behind") for (name, device), alarm in alarms(clinic).items()
            if name == rule}


def heard(clinic):
    wait_for("all are heard", lambda: sum(d["heard"] is not None for d in
                                          clinic.ask("/devices")[1]["devices"]) >= len(NAMES))


def a_broker_that_is_away_is_the_one_alarm_and_devices_are_not_blamed(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        wearables = Wearables(clinic, UPRIGHT)
        try:
            heard(clinic)
            time.sleep(11)  # until the hub has settled after its own start
            browser = clinic.browser()
            clinic.stop_broker()
            wait_for("all are behind it", lambda: behind(clinic, "gone") ==
                     dict.fromkeys(NAMES, "broker"), 20)
            told = {}
            browser.until(lambda f: told.update({a.device: a for a in f.alarms if a.presence}) or
                          len(told) == len(NAMES), "the page is told")
            assert {a.behind for a in told.values()} == {-1}, told
            assert not clinic.said("notice: alarm gone on"), clinic.said("alarm gone on")
            wearables.silent.add("p-3")  # this one has an empty battery meanwhile
            clinic.start_broker()
            wait_for("who speaks is back", lambda: list(behind(clinic, "gone")) == ["p-3"], 30)
            assert behind(clinic, "gone")["p-3"] == "broker", "not yet blamed"
            wait_for("it is blamed", lambda: behind(clinic, "gone") == {"p-3": None}, 20)
            rows = clinic.ask("/status")[1]["complaints"]
            assert not [row for row in rows if "flood" in row], rows
        finally:
            wearables.end()


def a_hub_that_was_away_blames_nobody_for_its_own_silence(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        wearables = Wearables(clinic, UPRIGHT)
        try:
            heard(clinic)
            clinic.stop_hub(signal.SIGKILL)
            wearables.silent.add("p-2")
            time.sleep(6)
            clinic.start_hub()
            wait_for("one is behind it", lambda: behind(clinic, "gone") == {"p-2": "hub"}, 9)
            wait_for("it is blamed", lambda: behind(clinic, "gone") == {"p-2": None}, 20)
            wearables.silent.clear()
            wait_for("all are back", lambda: behind(clinic, "gone") == {}, 20)
            clinic.hub.send_signal(signal.SIGSTOP)
            time.sleep(6)
            clinic.hub.send_signal(signal.SIGCONT)
            assert wait_for("it noticed", lambda: clinic.said("the hub stood still for"))
            wait_for("all are back", lambda: behind(clinic, "gone") == {}, 20)
            assert not clinic.said("notice: alarm gone on, Room-1"), clinic.said("alarm gone on")
        finally:
            wearables.end()


def a_silent_device_hides_its_other_technical_alarms_and_says_how_many(build):
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        wearables = Wearables(clinic, {**UPRIGHT, "p-1": 30.0}, battery=10)
        try:
            wait_for("batteries", lambda: set(behind(clinic, "battery")) == set(NAMES))
            wait_for("bent", lambda: ("bent", "p-1") in alarms(clinic))
            time.sleep(11)  # settled
            wearables.silent.add("p-1")
            gone = wait_for("gone", lambda: alarms(clinic).get(("gone", "p-1")), 20)
            wait_for("one is behind it", lambda: behind(clinic, "battery")["p-1"] == "gone")
            assert alarms(clinic)[("gone", "p-1")]["hides"] == 1
            assert behind(clinic, "battery")["p-2"] is None
            assert behind(clinic, "bent")["p-1"] is None, "a person's alarm is never hidden"
            wait_for("the broker knows", lambda: json.loads(
                clinic.received("lumbar/v1/alarm/room-1/battery")[-1]).get("behind") == "gone")
            # Who acknowledges the loss acknowledges nothing behind it.
            assert clinic.ask(f"/alarms/{gone['number']}/ack", "POST", {})[0] == 200
            assert alarms(clinic)[("battery", "p-1")]["presence"] == "on"
            assert alarms(clinic)[("bent", "p-1")]["presence"] == "on"
            listed = clinic.ctl("alarms", "list").stdout
            assert "[1 behind it]" in listed and "[behind gone]" in listed, listed
            number = alarms(clinic)[("battery", "p-1")]["number"]
            time.sleep(2)  # rows are sealed once a second
            clinic.stop_hub(signal.SIGKILL)
            clinic.start_hub()
            alarm = alarms(clinic)[("battery", "p-1")]
            assert alarm["behind"] == "gone" and alarm["number"] == number, alarm
            assert behind(clinic, "gone") == {"p-1": None}, "it was silent before the hub was away"
            time.sleep(1)
            assert behind(clinic, "battery")["p-1"] == "gone"
            wearables.silent.clear()
            wait_for("it is in sight", lambda: behind(clinic, "battery")["p-1"] is None, 20)
            assert ("gone", "p-1") not in alarms(clinic)
            assert alarms(clinic)[("battery", "p-1")]["number"] == number
        finally:
            wearables.end()


if __name__ == "__main__":
    run([a_broker_that_is_away_is_the_one_alarm_and_devices_are_not_blamed,
         a_hub_that_was_away_blames_nobody_for_its_own_silence,
         a_silent_device_hides_its_other_technical_alarms_and_says_how_many])
