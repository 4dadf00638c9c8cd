"""A thousand alarms at once: none is lost in the hub, in frames, at the broker, on the disk, by a kill
in the middle of it, or while the disk refuses."""
import json
import resource
import signal
import sqlite3
import time

from clinic import Clinic, Mqtt, run, wait_for

ROOMS, RULES = 100, 10
ALL = ROOMS * RULES

RULES_TEXT = "rules:\n" + "".join(f"""  - name: bent-{i}
    title: Bent {i}
    metric: posture/trunk_inclination
    above: {20 + i} deg
    priority: {('low', 'medium', 'high')[i % 3]}
    text: "{{device}} in {{room}} is bent {{value}}, more than the {{limit}} of rule {i}."
    action: "Look at {{device}}."
""" for i in range(RULES))


def clinic_of(build):
    rooms = {f"room-{i}": [f"posture/p-{i}"] for i in range(ROOMS)}
    return Clinic(build, rooms=rooms, rules=RULES_TEXT)


def bend(clinic, degrees):
    """All of them in one burst."""
    devices = clinic.__dict__.setdefault(
        "wearables", [clinic.device("posture", f"p-{i}") for i in range(ROOMS)])
    messages = [(device.topic, device.message(trunk_inclination=[degrees])) for device in devices]
    for topic, payload in messages:
        clinic.mqtt.publish(topic, payload)


def listed(clinic, each=300):
    """The alarms that the API lists, page by page."""
    alarms, after = [], 0
    while after is not None:
        status, page = clinic.ask(f"/alarms?after={after}&limit={each}")
        assert status == 200 and len(page["alarms"]) <= each, page
        alarms += page["alarms"]
        after = page["next"]
    return alarms


def shown(browser, count, seconds=20):
    """Reads frames until so many alarms stand on this screen."""
    standing, end = {}, time.monotonic() + seconds
    while len(standing) != count and time.monotonic() < end:
        frame = browser.frame(1)
        for alarm in frame.alarms if frame is not None else ():
            key = (alarm.rule, alarm.device)
            if alarm.presence:
                standing[key] = alarm
            else:
                standing.pop(key, None)
    assert len(standing) == count, f"{len(standing)} alarms on the screen, not {count}"
    return standing


def retained(clinic):
    client = Mqtt(clinic.broker_port, "who-comes-now", ["lumbar/v1/alarm/#"])
    time.sleep(1.5)
    client.close()
    return {topic: json.loads(payload)["presence"] for topic, payload, _ in client.received}


def on_disk(clinic):
    """Alarms of these rules that stand, how many of them differ, and how often any was raised. On a slow
    machine the hub adds that nothing is heard any more."""
    file = sqlite3.connect(f"file:{clinic.folder}/history.db?mode=ro", uri=True)
    rows = file.execute("SELECT count(*), count(DISTINCT rule || kind || device) FROM alarm "
                        "WHERE presence = 1 AND rule NOT LIKE '%.lost'").fetchone()
    raised = file.execute("SELECT count(*) FROM alarm_transition WHERE what = 'on'").fetchone()[0]
    file.close()
    return (*rows, raised)


def a_thousand_alarms_at_once_reach_everybody(build):
    with clinic_of(build) as clinic:
        was_there = clinic.browser()
        was_there.until(lambda frame: frame.health.broker, "the hub's health")
        began = time.monotonic()
        bend(clinic, 60.0)
        first = shown(was_there, ALL)
        print(f"        on a screen that was there after {time.monotonic() - began:.2f} s")
        health = was_there.until(lambda frame: frame.health.flood, "the flood is said").health
        assert health.alarms_begun == ALL and health.alarms_lost == 0, health
        assert f"An alarm flood: {ALL} began within ten minutes." in \
            clinic.ask("/status")[1]["complaints"]
        for screen in (clinic.browser(), clinic.browser(room=7)):  # who comes now
            late = shown(screen, ALL)
            assert {a.number for a in late.values()} == {a.number for a in first.values()}
        alarms = listed(clinic)
        assert len({alarm["number"] for alarm in alarms}) == ALL, len(alarms)
        assert {alarm["number"] for alarm in alarms} == {a.number for a in first.values()}
        wait_for("the broker knows them all", lambda: sum(
            presence == "on" for presence in retained(clinic).values()) == ALL, 30)
        wait_for("they are on the disk", lambda: on_disk(clinic) == (ALL, ALL, ALL), 10)
        # One among a thousand is acknowledged as any other.
        number = alarms[-1]["number"]
        assert clinic.ask(f"/alarms/{number}/ack", "POST", {})[0] == 200
        was_there.until(lambda frame: [a for a in frame.alarms if a.number == number
                                       and a.HasField("acknowledged")], "it is acknowledged")
        # They are over at once, too.
        bend(clinic, 0.0)
        shown(was_there, 0)
        wait_for("the broker is told", lambda: "on" not in retained(clinic).values(), 30)
        assert clinic.ask("/status")[1]["alarms_waiting"] == 0


def a_kill_in_the_middle_of_a_thousand_loses_none(build):
    with clinic_of(build) as clinic:
        clinic.mqtt.acknowledged = 0
        bend(clinic, 60.0)
        wait_for("the broker has them", lambda: clinic.mqtt.acknowledged >= ROOMS)
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        wait_for("all stand", lambda: len(listed(clinic)) == ALL, 20)
        shown(clinic.browser(), ALL)
        wait_for("the broker knows them all", lambda: sum(
            presence == "on" for presence in retained(clinic).values()) == ALL, 30)
        wait_for("each was raised once", lambda: on_disk(clinic) == (ALL, ALL, ALL), 10)


def what_the_disk_refused_for_long_is_on_it_when_it_works_again(build):
    with clinic_of(build) as clinic:
        bend(clinic, 60.0)
        wait_for("they are on the disk", lambda: on_disk(clinic) == (ALL, ALL, ALL), 20)
        hard = resource.prlimit(clinic.hub.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(clinic.hub.pid, resource.RLIMIT_FSIZE, (4096, hard))
        degrees = [0.0, 60.0] * 12  # 24,000 changes: more than the hub has room for
        for value in degrees:
            bend(clinic, value)
            count = ALL if value else 0
            wait_for("all of it", lambda: clinic.ask("/status")[1]["alarms"] == count, 20)
        bend(clinic, 24.5)  # rules 5 to 9 are over, the others stand
        wait_for("half of them", lambda: clinic.ask("/status")[1]["alarms"] == ALL // 2, 20)
        assert on_disk(clinic) == (ALL, ALL, ALL), "the disk took something"
        resource.prlimit(clinic.hub.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
        wait_for("as they are", lambda: on_disk(clinic)[:2] == (ALL // 2, ALL // 2), 40)
        assert on_disk(clinic)[2] < ALL * (1 + len(degrees) // 2), "no change was lost: no test"
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        wait_for("half of them stand", lambda: sum(
            not alarm["rule"].endswith(".lost") for alarm in listed(clinic)) == ALL // 2, 20)


if __name__ == "__main__":
    run([a_thousand_alarms_at_once_reach_everybody, a_kill_in_the_middle_of_a_thousand_loses_none,
         what_the_disk_refused_for_long_is_on_it_when_it_works_again])
