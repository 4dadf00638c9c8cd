"""Every state of an alarm, through a reload, a stop, a kill and an absence of the real hub: nothing of
it is another one afterwards."""
import signal
import time

from clinic import Clinic, run, wait_for
from wearables import Wearables

RULES = """
rules:
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: medium
    latch: true
    text: "Bent {value}."
  - name: back
    title: Bent back
    metric: posture/trunk_inclination
    below: -10 deg
    priority: medium
    latch: true
    escalate: 2 s
    text: "Bent back {value}."
  - name: tilted
    title: Tilted
    metric: posture/trunk_inclination
    above: 60 deg
    priority: low
    technical: true
    latch: true
    text: "Tilted {value}."
  - name: gone
    title: No signal
    metric: posture/trunk_inclination
    absent: 3 s
    inhibits: device
    priority: medium
    text: "Nothing from {device}."
"""

# A way to each: 1 bent, 0 upright, L silent; a acknowledged, s shelved; e bent back, and nobody comes;
# t tilted, h behind the loss of its device. What is expected in the end: state, shelved, escalated.
STATES = [
    ("1", "on", False, 0), ("1L", "lost", False, 0), ("1a", "ack", False, 0),
    ("1aL", "ack-lost", False, 0), ("1La", "lost-ack", False, 0), ("10", "latched", False, 0),
    ("1a0", "latched-ack", False, 0), ("10a", "latched-ack", False, 0), ("1s", "on", True, 0),
    ("1sL", "lost", True, 0), ("1as", "ack", True, 0), ("1asL", "ack-lost", True, 0),
    ("1Las", "lost-ack", True, 0), ("1s0", "latched", True, 0), ("1as0", "latched-ack", True, 0),
    ("1s0r", "off", True, 0), ("e", "on", False, 1), ("ea", "ack", False, 1),
    ("eas", "ack", True, 1), ("e0", "latched", False, 1), ("eL", "lost", False, 1),
    ("e0a", "latched-ack", False, 1), ("eLa", "lost-ack", False, 1), ("eaL", "ack-lost", False, 1),
    ("e0s", "latched", True, 1), ("tLh", "lost", False, 0), ("tLha", "lost-ack", False, 0),
    ("taLh", "ack-lost", False, 0), ("tLhs", "lost", True, 0),
]
NAMES = [f"p-{i}" for i in range(len(STATES))]
ROOMS = {f"room-{i}": [f"posture/{name}"] for i, name in enumerate(NAMES)}
DEEDS = {"a": ("ack", {"why": "on my way"}), "s": ("shelve", {"why": "it slips", "seconds": 3600}),
         "r": ("reset", {})}
DEGREES = {"1": 30.0, "0": 5.0, "e": -20.0, "t": 70.0}
TILTED = {name for name, (way, *_) in zip(NAMES, STATES) if way[0] == "t"}


def known(clinic):
    """All that the hub says of the alarm of each device that stands or is shelved. Who is tilted is
    bent, too, and who is silent gone."""
    alarms = {}
    for alarm in clinic.ask("/alarms?limit=500")[1]["alarms"]:
        name = alarm["device"].split("/")[1]
        if alarm["rule"] != "gone" and (alarm["rule"] == "tilted") == (name in TILTED):
            alarms[name] = alarm
    return alarms


def is_there(alarm, deed):
    """Has it come to this?"""
    if deed == "e":
        return alarm is not None and alarm["escalated"] == 1
    if deed in "1t":
        return alarm is not None
    if deed == "h":
        return alarm.get("behind") == "gone"
    return {"0": alarm["presence"] == "latched", "L": "unknown_since" in alarm,
            "a": "acknowledged" in alarm, "s": "shelved" in alarm,
            "r": alarm["state"] == "off"}[deed]


def step(clinic, wearables, name, deed):
    if deed in DEEDS:
        path, body = DEEDS[deed]
        number = known(clinic)[name]["number"]
        status, answer = clinic.ask(f"/alarms/{number}/{path}", "POST", {"by": "Ana", **body})
        assert status == 200 and answer["stored"], (name, deed, answer)
    elif deed == "L":
        wearables.silent.add(name)
    elif deed != "h":
        wearables.degrees[name] = DEGREES[deed]


def bring_all_to_their_states(clinic, wearables):
    for at in range(max(len(way) for way, *_ in STATES)):
        steps = [(name, way[at]) for name, (way, *_) in zip(NAMES, STATES) if at < len(way)]
        for name, deed in steps:
            step(clinic, wearables, name, deed)
        for name, deed in steps:
            wait_for(f"{name}: {deed}", lambda: is_there(known(clinic).get(name), deed), 20)


def reload(clinic):
    clinic.hub.send_signal(signal.SIGHUP)
    wait_for("reloaded", lambda: clinic.said("configuration reloaded"))
    clinic.log_from = clinic.log_path.stat().st_size


def restart(clinic):
    clinic.stop_hub()
    clinic.start_hub()


def kill(clinic):
    clinic.stop_hub(signal.SIGKILL)
    clinic.start_hub()


def leave(clinic):
    """For longer than values are fresh."""
    clinic.stop_hub(signal.SIGKILL)
    time.sleep(5)
    clinic.start_hub()


def every_state_is_the_same_after_a_reload_a_stop_a_kill_and_an_absence(build):
    cases = 0
    with Clinic(build, rules=RULES, rooms=ROOMS) as clinic:
        wearables = Wearables(clinic, dict.fromkeys(NAMES, 5.0))
        try:
            bring_all_to_their_states(clinic, wearables)
            before = known(clinic)
            for name, (way, state, shelved, escalated) in zip(NAMES, STATES):
                alarm = before[name]
                assert (alarm["state"], "shelved" in alarm, alarm["escalated"]) == \
                    (state, shelved, escalated), (way, alarm)
                assert ("behind" in alarm) == ("h" in way), (way, alarm)
            for what in (reload, restart, kill, leave):
                time.sleep(1.5)  # rows are sealed once a second
                what(clinic)
                for moment in ("at once", "later"):
                    after = known(clinic)
                    assert after.keys() == before.keys(), (what, moment, after.keys())
                    for name, (way, *_) in zip(NAMES, STATES):
                        assert after[name] == before[name], \
                            (what.__name__, moment, way, before[name], after[name])
                    time.sleep(4)
                cases += len(STATES)
        finally:
            wearables.end()
    print(f"        {cases} cases")


if __name__ == "__main__":
    run([every_state_is_the_same_after_a_reload_a_stop_a_kill_and_an_absence])
