"""The hub's main job: messages in, rooms and alarms out, nothing acknowledged lost."""
import json
import signal
import subprocess
import time

from clinic import TOP, Clinic, run, wait_for

BENT = """
rules:
  - name: bent
    title: Bent forward
    metric: posture/trunk_inclination
    above: 20 deg
    clear: 18 deg
    priority: medium
    text: "Trunk bent {value} in {room}."
    action: "Ask to sit up."
  - name: silent
    title: No posture
    metric: posture/trunk_inclination
    absent: 3 s
    priority: low
    text: "No posture for {for} from {device}."
"""
ALARM = "lumbar/v1/alarm/room-1/bent"


def a_value_that_is_sent_is_seen_in_its_room(build):
    with Clinic(build) as clinic:
        browser = clinic.browser(room=1)
        browser.until(lambda f: f.HasField("hello"))
        clinic.device("posture", "p-01").send(trunk_inclination=[1.0, 2.5, None, 12.0, -3.0])
        frame = browser.until(lambda f: f.points)
        seen = browser.values(frame, "trunk_inclination")
        step = browser.metric("trunk_inclination").step
        for value, wanted in zip(seen, [1.0, 2.5, None, 12.0, -3.0], strict=True):
            assert (value is None) == (wanted is None), seen
            assert wanted is None or abs(value - wanted) <= step, seen


def a_device_of_no_room_is_shown_as_unassigned(build):
    with Clinic(build) as clinic:
        browser = clinic.browser()
        clinic.device("massage", "m-77").send(skin_temperature=[33.0])
        frame = browser.until(lambda f: any(d.name == "m-77" for d in f.devices))
        assert next(d for d in frame.devices if d.name == "m-77").room == 0
        if not frame.latest:
            frame = browser.until(lambda f: f.latest, "its value on the wall")
        assert browser.metric("skin_temperature").id in frame.latest[0].metric


def an_alarm_is_shown_logged_and_retained(build):
    with Clinic(build, rules=BENT) as clinic:
        browser, device = clinic.browser(), clinic.device("posture", "p-01")
        device.send(trunk_inclination=[5.0])
        device.send(trunk_inclination=[25.0])
        frame = browser.until(lambda f: any(a.presence == 1 for a in f.alarms), "the alarm")
        alarm = next(a for a in frame.alarms if a.presence == 1)
        assert browser.rule("bent").id == alarm.rule and "25" in alarm.text, alarm
        assert "Room-1" in alarm.text, alarm.text
        wait_for("a log line", lambda: clinic.said("alarm bent on"))
        told = wait_for("it on MQTT", lambda: clinic.raised(ALARM))[-1]
        assert told["presence"] == "on" and told["value"] == 25 and told["unit"] == "deg", told
        assert told["action"] == "Ask to sit up.", told
        retained = subprocess.run(
            ["mosquitto_sub", "-p", str(clinic.broker_port), "-t", ALARM, "-C", "1", "-W", "5",
             "--retained-only"], capture_output=True, text=True, check=True).stdout
        assert json.loads(retained)["presence"] == "on", retained
        device.send(trunk_inclination=[19.0])  # under the limit, over the clear limit
        time.sleep(0.5)
        assert json.loads(clinic.received(ALARM)[-1])["presence"] == "on"
        device.send(trunk_inclination=[10.0])
        browser.until(lambda f: any(a.presence == 0 for a in f.alarms), "its end")
        wait_for("its end on MQTT",
                 lambda: json.loads(clinic.received(ALARM)[-1])["presence"] == "off")


def a_silent_device_is_a_technical_alarm_never_a_good_posture(build):
    with Clinic(build, rules=BENT) as clinic:
        browser, device = clinic.browser(), clinic.device("posture", "p-01")
        device.send(trunk_inclination=[25.0])
        browser.until(lambda f: any(a.presence == 1 and not a.technical for a in f.alarms))
        frame = browser.until(lambda f: any(a.technical and a.presence == 1 for a in f.alarms),
                              "the technical alarm")
        assert not any(a.presence == 0 for a in frame.alarms), "silence ended an alarm"
        assert json.loads(clinic.received(ALARM)[-1])["presence"] == "on"


def what_is_on_disk_is_acknowledged_to_the_device(build):
    with Clinic(build) as clinic:
        device = clinic.device("posture", "p-01")
        for _ in range(5):
            device.send(trunk_inclination=[1.0], held_from=1)
        topic = "lumbar/v1/posture/p-01/ack"
        ack = clinic.proto("ack").Ack.FromString(
            wait_for("an acknowledgement", lambda: clinic.received(topic))[-1])
        assert ack.boot_id == device.boot, ack
        wait_for("all of it acknowledged", lambda: clinic.proto("ack").Ack.FromString(
            clinic.received(topic)[-1]).sequence == 5)


def a_gap_is_not_acknowledged_away_while_the_device_still_holds_it(build):
    with Clinic(build) as clinic:
        device = clinic.device("posture", "p-01")
        topic = "lumbar/v1/posture/p-01/ack"
        for sequence in (1, 2, 4, 5):
            clinic.mqtt.publish(device.topic, device.message(
                sequence=sequence, trunk_inclination=[1.0], held_from=1))
        acks = lambda: [clinic.proto("ack").Ack.FromString(p).sequence  # noqa: E731
                        for p in clinic.received(topic)]
        wait_for("what is whole acknowledged", lambda: 2 in acks())
        time.sleep(2.5)
        assert max(acks()) == 2, acks()
        clinic.mqtt.publish(device.topic, device.message(
            sequence=3, trunk_inclination=[1.0], held_from=3))
        wait_for("the rest acknowledged", lambda: max(acks()) == 5)


def a_repeat_is_counted_and_used_once(build):
    with Clinic(build) as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        message = device.message(trunk_inclination=[4.0])
        for _ in range(3):
            clinic.mqtt.publish(device.topic, message)
        device.send(trunk_inclination=[9.0])
        values = []
        while 9 not in [round(v) for v in values]:
            frame = browser.until(lambda f: f.points)
            values += browser.values(frame, "trunk_inclination")
        assert [round(v) for v in values] == [4, 9], values
        browser.until(lambda f: any(d.duplicates == 2 for d in f.devices), "the count", 15)


def a_browser_that_comes_back_gets_what_it_missed_once(build):
    with Clinic(build) as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        device.send(trunk_inclination=[1.0])
        browser.until(lambda f: f.points)
        instance, cursor = browser.hello.instance, browser.cursor
        browser.close()
        for value in (2.0, 3.0):
            device.send(trunk_inclination=[value])
        time.sleep(0.3)
        back = clinic.browser(room=1, instance=instance, cursor=cursor)
        values = []
        while len(values) < 2:
            values += back.values(back.until(lambda f: f.points), "trunk_inclination")
        assert [round(v) for v in values] == [2, 3], values


def the_last_minutes_are_there_at_once(build):
    with Clinic(build) as clinic:
        device = clinic.device("posture", "p-01")
        for value in range(20):
            device.send(trunk_inclination=[float(value)])
        time.sleep(0.5)
        browser, values = clinic.browser(room=1), []
        while len(values) < 20:
            values += browser.values(browser.until(lambda f: f.points), "trunk_inclination")
        assert [round(v) for v in values] == list(range(20)), values


def a_killed_hub_comes_back_with_its_minutes_and_its_alarm(build):
    with Clinic(build, rules=BENT) as clinic:
        device = clinic.device("posture", "p-01")
        for value in (1.0, 2.0, 30.0):
            device.send(trunk_inclination=[value])
        wait_for("the alarm", lambda: clinic.raised(ALARM))
        clinic.stop_hub(signal.SIGKILL)
        device.send(trunk_inclination=[31.0])
        clinic.start_hub()
        browser, values, standing = clinic.browser(room=1), [], False
        while len(values) < 4 or not standing:
            frame = browser.until(lambda f: f.points or f.alarms)
            values += browser.values(frame, "trunk_inclination")
            standing |= any(a.presence == 1 and not a.technical for a in frame.alarms)
        assert [round(v) for v in values] == [1, 2, 30, 31], values


def garbage_is_counted_said_once_and_kept_to_be_looked_at(build):
    with Clinic(build) as clinic:
        browser, device = clinic.browser(room=1), clinic.device("posture", "p-01")
        for i in range(50):
            clinic.mqtt.publish(device.topic, b"\xff\xfe garbage %d" % i)
        device.send(trunk_inclination=[7.0])
        browser.until(lambda f: f.points, "the good message after it")
        browser.until(lambda f: f.HasField("health") and f.health.refused == 50, "the count", 15)
        log = clinic.log_path.read_text()
        assert log.count("refused") == 1, log
        kept = subprocess.run([f"{build}/daemon/lumbard", "--config",
                               f"{clinic.folder}/lumbard.yaml", "--quarantine"],
                              capture_output=True, text=True, check=True).stdout
        assert kept.count("lumbar/v1/posture/p-01/telemetry") == 50, kept[-500:]


def hostile_topics_and_sizes_harm_nothing(build):
    with Clinic(build) as clinic:
        browser, device = clinic.browser(room=1), clinic.device("posture", "p-01")
        for topic, payload in [
            (device.topic, b""),
            (device.topic, b"\x0a" * 16384),
            (device.topic, b"x" * 20000),
            ("lumbar/v1/posture/" + "n" * 200 + "/telemetry", b"x"),
            ("lumbar/v1/posture/../telemetry", b"x"),
            ("lumbar/v1/posture/a b/telemetry", b"x"),
            ("lumbar/v1/posture/\u00fc/telemetry", b"x"),
            ("lumbar/v1/posture/p-01/status", b"\x08"),
        ]:
            clinic.mqtt.publish(topic, payload)
        device.send(trunk_inclination=[7.0])
        frame = browser.until(lambda f: f.points, "the good message after it")
        assert [round(v) for v in browser.values(frame, "trunk_inclination")] == [7]
        assert clinic.hub.poll() is None
        status, devices = clinic.ask("/status")[1], clinic.ask("/devices")[1]["devices"]
        # The eighth is of a leaf that no plugin asks for, and was never sent.
        assert (status["refused"], status["broker"]["oversize"]) == (6, 1), status
        assert status["quarantine"]["held"] == 6 and status["devices"] == 2, status
        assert {d["name"]: d["refused"] for d in devices} == {"posture/p-01": 2, "massage/m-01": 0}
        wait_for("the complaint of sizes", lambda: clinic.said("are dropped"), 20)
        for words in ("its plugin cannot decode it", "no plugin knows its topic", "are dropped"):
            assert clinic.log_path.read_text().count(words) == 1, words


def a_storm_of_new_devices_is_refused_beyond_the_bound(build):
    with Clinic(build, extra="devices:\n  max: 10\n") as clinic:
        for i in range(40):
            clinic.device("posture", f"storm-{i}").send(trunk_inclination=[1.0])
        browser = clinic.browser(room=1)
        clinic.device("posture", "p-01").send(trunk_inclination=[8.0])
        browser.until(lambda f: f.points, "a device of the configuration")
        status = clinic.ask("/status")[1]
        # Ten have a place, two of them by the configuration; each of the others has sent one message.
        assert (status["devices"], status["devices_refused"], status["refused"]) == (10, 32, 32), status
        assert clinic.log_path.read_text().count("no place for one more device") == 1


def a_device_that_talks_too_much_is_held_to_its_rate(build):
    with Clinic(build, extra="devices:\n  rate: 10\n") as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        for _ in range(200):
            device.send(trunk_inclination=[1.0])
        clinic.device("massage", "m-01").send(skin_temperature=[33.0])
        browser.until(lambda f: browser.values(f, "skin_temperature"), "the other one is heard")
        browser.until(lambda f: any(d.refused > 100 for d in f.devices), "the count", 15)


def what_the_broker_kept_while_the_hub_was_away_is_used(build):
    with Clinic(build, extra="devices:\n  rate: 200\n") as clinic:
        known, new = clinic.device("posture", "p-01"), clinic.device("massage", "m-01")
        known.send(trunk_inclination=[1.0])
        clinic.browser(room=1).until(lambda f: f.points)
        clinic.stop_hub()
        began = time.monotonic()
        for _ in range(1000):  # 5 s of what they may say, and 2.5 times a burst
            known.send(trunk_inclination=[1.0])
            new.send(skin_temperature=[33.0])
        time.sleep(max(0, began + 5.5 - time.monotonic()))
        clinic.start_hub()

        def counts():
            return {d["name"]: (d["messages"], d["refused"])
                    for d in clinic.ask("/devices")[1]["devices"]}
        wait_for("all of it", lambda: sum(sum(c) for c in counts().values()) >= 2000, 20)
        said = counts()
        # Of the known one this run also remembers the message before.
        assert said["massage/m-01"] == (1000, 0) and said["posture/p-01"] == (1001, 0), said


def a_value_beyond_the_sensor_is_no_value(build):
    with Clinic(build) as clinic:
        device, browser = clinic.device("massage", "m-01"), clinic.browser(room=1)
        device.send(massage_pressure=[50.0, -27.0, 60.0])
        frame = browser.until(lambda f: browser.values(f, "massage_pressure"))
        seen = browser.values(frame, "massage_pressure")
        assert seen[1] is None and round(seen[0]) == 50 and round(seen[2]) == 60, seen
        browser.until(lambda f: any(d.out_of_range == 1 for d in f.devices), "the count", 15)


def a_pad_that_becomes_too_hot_for_its_sensor_is_an_alarm(build):
    """A jump over all that the sensor can say, past every limit: with the rules as they are shipped."""
    rules = (TOP / "config/rules.d/technical.yaml").read_text()
    with Clinic(build, rules=rules) as clinic:
        device = clinic.device("massage", "m-01")
        heat = clinic.proto("massage").PROGRAM_HEAT

        def hot():
            device.send(skin_temperature=[52.0], program=heat)
            time.sleep(0.2)
            return [a for a in clinic.ask("/alarms")[1]["alarms"]
                    if a["rule"] == "skin-temperature-untrusted"]
        device.send(skin_temperature=[47.0], program=heat)
        alarm = wait_for("the alarm", hot, 20)[0]
        assert alarm["priority"] == "high" and "take it off" in alarm["action"], alarm


def a_broker_that_goes_is_said_and_comes_back(build):
    with Clinic(build) as clinic:
        browser = clinic.browser(room=1)
        browser.until(lambda f: f.HasField("health") and f.health.broker)
        clinic.stop_broker()
        browser.until(lambda f: f.HasField("health") and not f.health.broker, "the loss", 15)
        clinic.start_broker()
        browser.until(lambda f: f.HasField("health") and f.health.broker, "the return", 30)
        from clinic import Mqtt
        clinic.mqtt = Mqtt(clinic.broker_port, "test-devices-2")
        clinic.device("posture", "p-01").send(trunk_inclination=[6.0])
        browser.until(lambda f: f.points, "a value after it", 10)


def a_reload_changes_everything_or_nothing(build):
    with Clinic(build, rules=BENT) as clinic:
        browser, device = clinic.browser(), clinic.device("posture", "p-01")
        device.send(trunk_inclination=[25.0])
        browser.until(lambda f: any(a.presence == 1 for a in f.alarms))
        clinic.write_config(rules=BENT.replace("trunk_inclination", "trunk_inclinatoin"))
        clinic.hub.send_signal(signal.SIGHUP)
        line = wait_for("the complaint", lambda: clinic.said("nothing changed"))
        assert "test.yaml:5:" in line and "trunk_inclination" in line, line
        clinic.write_config(rules=BENT, rooms={"salon": ["posture/p-01"]})
        clinic.hub.send_signal(signal.SIGHUP)
        frame = browser.until(lambda f: f.HasField("hello"), "a new hello")
        assert [r.name for r in frame.hello.rooms] == ["salon"]
        standing = [a for a in frame.alarms if a.presence == 1]
        assert standing, "the alarm did not survive the reload"
        clinic.write_config(extra="feed:\n  size: 8 MiB\n")
        clinic.hub.send_signal(signal.SIGHUP)
        line = wait_for("the refusal", lambda: clinic.said("feed.size"))
        assert "restart" in line, line


def a_stop_closes_the_loop_empty_and_says_bye(build):
    with Clinic(build) as clinic:
        browser = clinic.browser()
        browser.until(lambda f: f.HasField("hello"))
        began = time.monotonic()
        clinic.hub.send_signal(signal.SIGTERM)
        browser.until(lambda f: f.HasField("bye"), "a bye")
        clinic.stop_hub()
        assert time.monotonic() - began < 10
        state = clinic.received("lumbar/v1/hub/lumbard/status")[-1]
        assert b"offline" in state, state


if __name__ == "__main__":
    run([value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == "__main__"
         and value.__code__.co_varnames[:1] == ("build",)])
