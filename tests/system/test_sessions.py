"""Sessions before the real hub: opened, judged by their plan, recorded under their number, ended."""
from clinic import Clinic, run, wait_for

IDLE, RUNNING = 1, 2  # of a massage device
PLAN = """
name: tiny
title: Tiny
limits:
  - {metric: skin_temperature, above: 43 Cel}
phases:
  - {kind: heat, time: 1 min, limits: [{metric: skin_temperature, above: 41 Cel}]}
  - {kind: rest, time: 1 min}
"""
RULES = """
rules:
  - {name: hot, title: Hot, metric: skin_temperature, above: limit(skin_temperature),
     armed: session, priority: medium, text: "{value} in {phase}, limit {limit}."}
"""


def a_device_that_works_opens_one_and_idleness_ends_it(build):
    with Clinic(build, rooms={"room-1": ["massage/m-01"]}, rules=RULES, plans={"tiny": PLAN},
                automatic={"room-1": "tiny"}, extra="sessions:\n  idle: 1 s\n") as clinic:
        browser, device = clinic.browser(), clinic.device("massage", "m-01")
        device.send(skin_temperature=[42.0], state=RUNNING)
        session = browser.until(lambda f: f.sessions, "a session").sessions[0]
        assert session.state == session.RUNNING and session.plan == "Tiny", session
        assert session.phase == 1 and session.phase_count == 2, session
        # What was above the limit before is judged anew: by the plan's phase, in its words.
        device.send(skin_temperature=[42.0], state=RUNNING)
        alarm = browser.until(lambda f: f.alarms, "an alarm").alarms[0]
        assert alarm.text == "42 °C in heat, limit 41 °C.", alarm
        device.send(skin_temperature=[30.0], state=IDLE)
        session = browser.until(lambda f: f.sessions and f.sessions[0].state == session.DONE,
                                "its end").sessions[0]
        assert session.id == 1, session
        wait_for("a finished recording", lambda: list(clinic.recordings.glob("room-1_*.rec")))
        listed = clinic.ctl("recording", "ls").stdout
        assert "session 1" in listed and ", 1 messages" not in listed, listed


if __name__ == "__main__":
    run([a_device_that_works_opens_one_and_idleness_ends_it])
