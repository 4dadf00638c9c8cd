"""Derived metrics before the real hub: accounted through kills, ended with their session, judged,
kept and shown as any metric."""
import signal
import time

from clinic import Clinic, run, wait_for

IDLE, RUNNING = 1, 2  # of a massage device
PLAN = "{name: tiny, title: Tiny, phases: [{kind: heat, time: 9 min}, {kind: rest, time: 1 min}]}"
RULES = """
derived:
  - name: dose
    title: Dose
    metric: skin_temperature
    dose: {full: 10 s, at: 40 Cel, doubles: 1 Cel, from: 39 Cel}
    reset: session
  - {name: hot_time, metric: skin_temperature, time: {above: 39 Cel}, unit: s}
  - {name: refused, title: Refused, health: refused}
  - {name: clock_skew, title: Clock, health: clock_skew}
rules:
  - {name: dosed, metric: dose, above: 5 %, priority: medium, text: "{value} of {metric}."}
  - {name: garbled, metric: massage/refused, above: 0, priority: low, technical: true,
     text: "{value} messages of {device} cannot be used."}
  - {name: clock, metric: massage/clock_skew, outside: [-5 s, 5 s], priority: low,
     technical: true, text: "The clock of {device} is off by {value}."}
"""
ROOMS = {"room-1": ["massage/m-01"]}


class Pad:
    """Sends five values a message, and knows of when they are."""

    def __init__(self, clinic):
        self.device, self.first, self.last = clinic.device("massage", "m-01"), None, None
        self.messages = 0
        self.telemetry = clinic.proto("massage").Telemetry

    def warm(self, celsius=40.0, seconds=1.0):
        for _ in range(round(seconds * 2)):
            payload = self.device.message(step_ms=100, skin_temperature=[celsius] * 5,
                                          state=RUNNING)
            self.device.clinic.mqtt.publish(self.device.topic, payload)
            sent = self.telemetry.FromString(payload)
            self.first = self.first or sent.start_ms
            self.last = sent.start_ms + 400
            self.messages += 1
            time.sleep(0.5)


def newest(clinic, metric):
    """The newest value that the hub has of the pad, None: none."""
    return clinic.ask("/devices/massage/m-01")[1]["values"][metric]["value"]


def what_is_accounted_outlives_kills_and_ends_with_its_session(build):
    with Clinic(build, rooms=ROOMS, rules=RULES, plans={"tiny": PLAN},
                automatic={"room-1": "tiny"}) as clinic:
        pad = Pad(clinic)
        pad.warm()  # the session is opened by it
        wait_for("a session", lambda: clinic.ask("/sessions")[1]["sessions"])
        pad.first = None
        for _ in range(4):
            pad.warm(seconds=1.5)
            clinic.stop_hub(signal.SIGKILL)
            pad.warm(seconds=0.5)  # the broker keeps it
            clinic.start_hub()
        pad.warm()
        sent_s = (pad.last - pad.first) / 1000
        wait_for("all of it", lambda: newest(clinic, "dose") is not None and
                 newest(clinic, "dose") > 9.5 * sent_s)
        # A second at 40 Cel is 10 %. What the first message of the session gave may be in it, and
        # hub time is a few ms apart from the device's.
        assert sent_s > 8 and newest(clinic, "dose") < 10 * (sent_s + 1.5), \
            (sent_s, newest(clinic, "dose"))
        alarm = wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])[0]
        assert alarm["rule"] == "dosed" and alarm["presence"] == "on", alarm
        number = clinic.ask("/sessions")[1]["sessions"][0]["id"]
        status, _ = clinic.ask(f"/sessions/{number}/end", "POST", {})
        assert status == 200, status
        clinic.device("massage", "m-01").send(skin_temperature=[40.0], state=IDLE)
        wait_for("0 after the end", lambda: newest(clinic, "dose") == 0)
        wait_for("its end", lambda: not [a for a in clinic.ask("/alarms")[1]["alarms"]
                                         if a["presence"] == "on"])
        assert newest(clinic, "hot_time") > sent_s, newest(clinic, "hot_time")
        clinic.stop_hub()
        clinic.start_hub()
        kept = clinic.ctl("history", "massage/m-01", "hot_time", "--from", "-1h", "--csv")
        counts = [int(line.split(",")[1]) for line in kept.stdout.splitlines()[1:]]
        assert kept.returncode == 0 and sum(counts) == pad.messages + 1, (pad.messages, kept)


def metrics_are_listed_and_change_with_a_restart_only(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        browser = clinic.browser(room=1)
        Pad(clinic).warm(seconds=0.5)
        frame = browser.until(lambda f: browser.hello and browser.values(f, "hot_time"))
        assert browser.metric("hot_time").unit == "s", browser.metric("hot_time")
        assert browser.values(frame, "dose") == [0.0], frame
        clinic.write_config(rules=RULES.replace("from: 39 Cel", "from: 38 Cel"))
        clinic.hub.send_signal(signal.SIGHUP)
        said = wait_for("why not", lambda: clinic.said("not reloaded"))
        assert "test.yaml:3:5: dose is derived anew, or in another way" in said, said
        clinic.write_config(rules=RULES.replace("above: 5 %", "above: 6 %"))
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("a reload", lambda: clinic.said("configuration reloaded"))
        assert clinic.hub.poll() is None


def where_somebody_starts_it_again_a_reload_takes_other_metrics(build):
    """All or nothing; what is accumulated of those that stay goes on."""
    with Clinic(build, rooms=ROOMS, rules=RULES, start=False) as clinic:
        clinic.start_hub(NOTIFY_SOCKET="@nobody")
        Pad(clinic).warm(seconds=1.5)
        had = wait_for("some time", lambda: newest(clinic, "hot_time"))
        more = "  - {name: warm_time, metric: skin_temperature, time: {above: 30 Cel}, unit: s}\nrules:"
        clinic.write_config(rules=RULES.replace("rules:", more).replace("above: 5 %", "above: 5 kPa"))
        clinic.hub.send_signal(signal.SIGHUP)
        said = wait_for("why not", lambda: clinic.said("not reloaded"))
        assert "kPa" in said and clinic.hub.poll() is None, said
        clinic.write_config(rules=RULES.replace("rules:", more))
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("its end", lambda: clinic.hub.poll() is not None)
        assert clinic.said("other metrics are derived: starting anew") and clinic.hub.poll() == 0
        clinic.start_hub()
        Pad(clinic).warm(seconds=1)
        wait_for("the new one", lambda: newest(clinic, "warm_time"))
        assert newest(clinic, "hot_time") >= had, (had, newest(clinic, "hot_time"))


def a_device_that_cannot_be_understood_and_one_with_a_wrong_clock(build):
    with Clinic(build, rooms=ROOMS, rules=RULES) as clinic:
        pad = Pad(clinic)
        pad.device.clock_ms = -8000
        pad.warm(seconds=0.5)

        def raised():
            pad.warm(seconds=0.5)
            clinic.mqtt.publish(pad.device.topic, b"\xff")
            return {a["rule"] for a in clinic.ask("/alarms")[1]["alarms"]} >= {"garbled", "clock"}
        wait_for("both alarms, ten seconds on", raised, 60)
        said = {a["rule"]: a["text"] for a in clinic.ask("/alarms")[1]["alarms"]}
        assert said["clock"] == "The clock of m-01 is off by 8 s.", said


run([what_is_accounted_outlives_kills_and_ends_with_its_session,
     metrics_are_listed_and_change_with_a_restart_only,
     where_somebody_starts_it_again_a_reload_takes_other_metrics,
     a_device_that_cannot_be_understood_and_one_with_a_wrong_clock])
