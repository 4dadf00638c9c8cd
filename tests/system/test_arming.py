"""Arming before the real hub, with a real session: always, in a session, in named phases, except in
some. What is not armed is suppressed, and shown as that: in frames, by the API, by lumbarctl; over a
kill and a reload, too."""
import signal
import time

from clinic import Clinic, run, wait_for

PLAN = """
name: three
title: Three
phases: [{kind: heat, time: 9 min}, {kind: massage, time: 9 min}, {kind: rest, time: 9 min}]
"""
RULES = """
rules:
  - {name: always, metric: trunk_inclination, above: 20 deg, priority: low, text: "Always {value}."}
  - {name: in-session, metric: trunk_inclination, above: 20 deg, armed: session, priority: low,
     text: "In a session {value}, {phase}."}
  - {name: in-phases, metric: trunk_inclination, above: 20 deg, armed: [massage, rest],
     priority: low, text: "In phases {value}, {phase}."}
  - {name: not-in-heat, metric: trunk_inclination, above: 20 deg, armed: {except: [heat]},
     priority: low, text: "Not in heat {value}, {phase}."}
"""
EACH = ["always", "in-phases", "in-session", "not-in-heat"]


class Watched:
    """A wearable that stays bent, and what the hub says of it, in each of its ways."""

    def __init__(self, clinic):
        self.clinic, self.device = clinic, clinic.device("posture", "p-01")
        self.look()

    def look(self):
        self.browser = self.clinic.browser()
        self.alarms, self.suppressed = set(), {}

    def bend(self, degrees=30.0):
        self.device.send(trunk_inclination=[degrees] * 5)

    def read(self, seconds=0.1):
        while True:
            frame = self.browser.frame(seconds)
            if frame is None:
                return
            names = {rule.id: rule.name for rule in self.browser.hello.rules}
            for alarm in frame.alarms:
                (self.alarms.add if alarm.presence else self.alarms.discard)(names[alarm.rule])
            if frame.HasField("suppressed"):
                self.suppressed = {names[s.rule]: s for s in frame.suppressed.items}

    def stands(self, raised, suppressed):
        """All ways say the same: these stand, those are suppressed."""
        def same():
            self.bend()
            self.read()
            answer = self.clinic.ask("/alarms")[1]
            listed = self.clinic.ctl("alarms", "list").stdout.splitlines()
            ways = [(self.alarms, set(self.suppressed)),
                    ({a["rule"] for a in answer["alarms"]},
                     {s["rule"] for s in answer["suppressed"]})]
            return all(way == (set(raised), set(suppressed)) for way in ways) and \
                len([line for line in listed if "suppressed" in line]) == len(suppressed) and \
                len(listed) == len(raised) + len(suppressed)
        wait_for(f"{raised} stand, {suppressed} are suppressed", same, 15)
        return self.clinic.ctl("alarms", "list").stdout


def a_rule_tells_when_it_is_armed_and_is_shown_when_it_is_not(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, rules=RULES,
                plans={"three": PLAN}) as clinic:
        watched = Watched(clinic)
        listed = watched.stands(["always", "not-in-heat"], ["in-phases", "in-session"])
        assert "In a session 30°, no phase.  [not told outside of sessions]" in listed, listed
        assert not watched.suppressed["in-session"].in_session
        assert watched.suppressed["in-session"].text == "In a session 30°, no phase."

        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                  "plan": "three"})[1]["id"]

        def order(name):
            assert clinic.ask(f"/sessions/{number}/{name}", "POST", {})[0] == 200, name
        order("start")  # heat
        listed = watched.stands(["always", "in-session"], ["in-phases", "not-in-heat"])
        assert "Not in heat 30°, heat.  [not told heat]" in listed, listed
        assert watched.suppressed["not-in-heat"].in_session
        for how in (signal.SIGKILL, signal.SIGTERM):
            clinic.stop_hub(how)
            clinic.start_hub()
            watched.look()
            watched.stands(["always", "in-session"], ["in-phases", "not-in-heat"])
        clinic.write_config(rules=RULES.replace("20 deg, armed: session", "25 deg, armed: session"))
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("a reload", lambda: clinic.said("configuration reloaded"))
        watched.stands(["always", "in-session"], ["in-phases", "not-in-heat"])
        order("next")  # massage
        watched.stands(EACH, [])
        order("pause")
        watched.stands(["always", "not-in-heat"], ["in-phases", "in-session"])
        order("resume")
        watched.stands(EACH, [])
        told = {a["rule"]: a["text"] for a in clinic.ask("/alarms")[1]["alarms"]}
        assert told["in-phases"] == "In phases 30°, massage.", told
        order("end")
        watched.stands(["always", "not-in-heat"], ["in-phases", "in-session"])
        watched.bend(5.0)  # over: nothing would be raised any more
        wait_for("nothing stands", lambda: clinic.ask("/alarms")[1]["alarms"] == [])
        assert clinic.ask("/alarms")[1]["suppressed"] == []


def a_delay_begins_when_its_rule_is_armed(build):
    rules = """
rules:
  - {name: held, metric: trunk_inclination, above: 20 deg, for: 2 s, armed: session, priority: low,
     text: "Held {value} for {for}."}
"""
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, rules=rules) as clinic:
        watched = Watched(clinic)
        watched.stands([], ["held"])  # two seconds already
        number = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB"})[1]["id"]
        began = time.monotonic()  # before the answer, which waits for the store
        assert clinic.ask(f"/sessions/{number}/start", "POST", {})[0] == 200

        def raised():
            watched.bend()
            time.sleep(0.1)
            return clinic.ask("/alarms")[1]["alarms"]
        alarm = wait_for("it is raised", raised, 15)[0]
        assert alarm["text"] == "Held 30° for 2 s." and time.monotonic() - began > 1.9, alarm


if __name__ == "__main__":
    run([a_rule_tells_when_it_is_armed_and_is_shown_when_it_is_not,
         a_delay_begins_when_its_rule_is_armed])
