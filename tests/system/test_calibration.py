"""Calibration before the real hub: the zero that all is told from, the range that limits follow."""
import collections
import json
import math
import signal
import threading
import time

from clinic import Clinic, run, wait_for

PLAN = """
name: own
title: Own
limits: [{metric: lumbar_flexion, above: 45 deg, own: 50 %}]
phases: [{kind: exercise, time: 10 min}]
"""
RULES = """
rules:
  - {name: bent, title: Bent, metric: lumbar_flexion, above: limit(lumbar_flexion),
     armed: session, priority: medium, text: "{value}, limit {limit}."}
"""
ANGLES = {"lumbar_flexion": 12.0, "trunk_inclination": 4.0, "lumbar_lateral_flexion": -1.5}


class Wearer:
    """Wears the device and moves as it is told, five values of each angle ten times a second."""

    def __init__(self, clinic, name):
        self.device, self.flexion, self.on = clinic.device("posture", name), 0.0, True
        self.way = collections.deque()  # where it goes next; empty: it stays
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._wear)
        self.thread.start()

    def _wear(self):
        while not self.stopped.wait(0.1):
            if self.way:
                self.flexion = self.way.popleft()
            angles = {name: [at + (self.flexion if name == "lumbar_flexion" else 0)] * 5
                      for name, at in ANGLES.items()}
            self.device.send(step_ms=20, contact=self.on, **angles)

    def bend(self, *ends):
        """Out to each of these and back again."""
        for end in ends:
            self.way.extend(end * math.sin(math.pi * step / 10) for step in range(11))
        wait_for("the way back", lambda: not self.way, 60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def calibration(clinic):
    return clinic.ask("/devices/posture/p-01/calibration")[1]


def value(clinic, name="lumbar_flexion"):
    return clinic.ask("/devices/posture/p-01")[1]["values"][name]["value"]


def open_session(clinic, client="A-17"):
    status, session = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                       "client": client, "plan": "own"})
    assert status == 201, session
    assert clinic.ask(f"/sessions/{session['id']}/start", "POST")[0] == 200
    return session["id"]


def take_neutral(clinic):
    status, said = clinic.ask("/devices/posture/p-01/neutral", "POST", {"seconds": 1})
    assert (status, said["neutral"]["state"]) == (202, "under_way"), said
    wait_for("the neutral posture", lambda: calibration(clinic)["neutral"]["state"] == "done")
    return calibration(clinic)["neutral"]


def a_neutral_posture_is_the_zero_of_everything_until_its_session_is_over(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, plans={"own": PLAN}) as clinic:
        browser = clinic.browser(1)
        assert clinic.ask("/devices/posture/p-99/calibration")[0] == 404
        status, said = clinic.ask("/devices/posture/p-01/neutral", "POST", {})
        assert status == 409 and "has told no angle" in said["detail"], said
        with Wearer(clinic, "p-01"):
            wait_for("its angle", lambda: value(clinic) == 12)
            neutral = take_neutral(clinic)
            assert neutral["zeros"] == {"lumbar_flexion": 12, "trunk_inclination": 4,
                                        "lumbar_lateral_flexion": -1.5}, neutral
            wait_for("the value told from it", lambda: value(clinic) == 0)
            assert value(clinic, "lumbar_lateral_flexion") == 0
            told = browser.until(lambda f: f.calibrations and f.calibrations[0].taken_ms,
                                 "a calibration").calibrations[0]
            assert told.neutral == told.DONE and told.expires_ms > told.taken_ms, told
            browser.until(lambda f: any(v is not None and abs(v) < 0.1 for v in
                                        browser.values(f, "lumbar_flexion")), "values of 0")
            # Of the session that is opened now, and kept over a kill in it.
            number = open_session(clinic, "")
            wait_for("its session", lambda: clinic.ask(f"/sessions/{number}")[1]["calibrations"])
            time.sleep(1.5)  # a batch with its row is on the disk
            clinic.stop_hub(signal.SIGKILL)
            clinic.start_hub()
            wait_for("a value", lambda: value(clinic) is not None)
            assert value(clinic) == 0 and calibration(clinic)["neutral"]["taken"] == neutral["taken"]
            assert clinic.ask(f"/sessions/{number}/end", "POST")[0] == 200
            neutral = calibration(clinic)["neutral"]
            assert (neutral["state"], neutral["taken"]) == ("none", None), neutral
            assert neutral["reason"] == "its session is over", neutral
            wait_for("the value as it is measured", lambda: value(clinic) == 12)
        # History tells it as it was shown.
        answer = clinic.ask("/history?device=posture/p-01&metric=lumbar_flexion&from=" +
                            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60)))[1]
        means = {round(bucket["mean"]) for bucket in answer["buckets"]}
        assert {0, 12} <= means, means


def a_wearable_that_is_taken_off_or_started_anew_has_no_zero(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        with Wearer(clinic, "p-01") as wearer:
            wait_for("its angle", lambda: value(clinic) == 12)
            take_neutral(clinic)
            wearer.on = False
            wait_for("the end of it", lambda: calibration(clinic)["neutral"]["taken"] is None)
            assert calibration(clinic)["neutral"]["reason"] == "it was taken off"
            wearer.on = True
            wait_for("contact", lambda: value(clinic, "contact") == "on_skin")
            take_neutral(clinic)
            wearer.device.boot += 1
            wait_for("the end of it", lambda: calibration(clinic)["neutral"]["taken"] is None)
            assert calibration(clinic)["neutral"]["reason"] == "the device started anew"
            take_neutral(clinic)
            status, said = clinic.ask("/devices/posture/p-01/neutral", "DELETE")
            assert status == 200 and said["neutral"]["taken"] is None, said
            assert clinic.ask("/devices/posture/p-01/neutral", "DELETE")[0] == 409


def a_range_that_is_tested_is_the_clients_own_and_moves_the_limit(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, plans={"own": PLAN},
                rules=RULES) as clinic:
        assert clinic.ask("/clients", "POST", {"name": "A-17"})[0] == 201
        with Wearer(clinic, "p-01") as wearer:
            wait_for("its angle", lambda: value(clinic) == 12)
            number = open_session(clinic)
            take_neutral(clinic)
            band = lambda: clinic.ask(f"/sessions/{number}")[1]["bands"][0]
            assert band()["high"] == 45, band()
            for wrong, words in [({"metric": "lumbar_flexoin"}, "lumbar_flexion"),
                                 ({"metric": "battery"}, "an angle"), ({}, "metric"),
                                 ({"metric": "lumbar_flexion", "repetitions": 11}, "repetitions")]:
                status, said = clinic.ask("/devices/posture/p-01/range", "POST", wrong)
                assert status in (404, 409, 422) and words in said["detail"], (wrong, said)
            assert clinic.ask("/devices/posture/p-01/range", "POST",
                              {"metric": "lumbar_flexion"})[0] == 202
            wearer.bend(50, 60, 55)
            wait_for("three repetitions",
                     lambda: calibration(clinic)["range"]["state"] == "done")
            result = calibration(clinic)["range"]
            assert (result["peaks"], result["side"]) == ([50, 60, 55], "high"), result
            assert (result["best"], result["mean"], result["spread"]) == (60, 55, 5), result
            assert abs(band()["high"] - result["best"] / 2) < 0.1, (band(), result)
            own = clinic.ask("/clients/A-17")[1]["own"]
            assert own == [{"metric": "lumbar_flexion", "high": "60 deg",
                            "measured": result["measured"][:10]}], own
            # The rule that asks for the limit follows at once: 35 is below 45, and above 30.
            wait_for("no alarm", lambda: not clinic.ask("/alarms")[1]["alarms"])
            wearer.flexion = 35.0
            alarm = wait_for("an alarm", lambda: clinic.ask("/alarms")[1]["alarms"])[0]
            assert "limit 30" in alarm["text"], alarm
            wearer.flexion = 0.0
            # Ended early, it is what was done; of nothing, it is refused.
            clinic.ask("/devices/posture/p-01/range", "POST", {"metric": "lumbar_flexion"})
            status, said = clinic.ask("/devices/posture/p-01/range/end", "POST")
            assert status == 200 and said["range"]["state"] == "refused", said
            assert clinic.ask("/devices/posture/p-01/range/end", "POST")[0] == 409
            # Where nothing is left to be stored, nothing is waited for.
            clinic.ask("/devices/posture/p-01/range", "POST", {"metric": "lumbar_flexion"})
            asked = time.monotonic()
            assert clinic.ask("/devices/posture/p-01/range/end", "POST")[0] == 200
            assert time.monotonic() - asked < 8, "it waited for a batch that never comes"
            shown = clinic.ctl("calibration", "show", "posture/p-01")
            assert shown.returncode == 0 and "zero at   12.0 deg" in shown.stdout, shown.stdout
            clinic.ask(f"/sessions/{number}/end", "POST")
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        session = clinic.ask("/sessions", "POST", {"room": "room-1", "therapist": "AB",
                                                   "client": "A-17", "plan": "own"})[1]
        assert abs(session["bands"][0]["high"] - result["best"] / 2) < 0.1, session["bands"]


def lumbarctl_waits_for_both(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        with Wearer(clinic, "p-01") as wearer:
            wait_for("its angle", lambda: value(clinic) == 12)
            done = clinic.ctl("calibration", "neutral", "posture/p-01", "--for", "1s")
            assert done.returncode == 0 and "neutral posture: taken" in done.stdout, done
            bending = threading.Thread(target=lambda: (time.sleep(0.5), wearer.bend(40, 50)))
            bending.start()
            done = clinic.ctl("calibration", "range", "posture/p-01", "lumbar_flexion",
                              "--repetitions", "2")
            bending.join()
            assert done.returncode == 0 and "repetition 1: 40.0 deg" in done.stdout, done
            assert "best 50.0 deg, mean 45.0, spread 7.1 of 2" in done.stdout, done.stdout
            bending = threading.Thread(target=lambda: (time.sleep(0.5), wearer.bend(35)))
            bending.start()
            done = clinic.ctl("calibration", "range", "posture/p-01", "lumbar_flexion",
                              "--repetitions", "1", "--json")
            bending.join()
            assert done.returncode == 0, done
            tested = json.loads(done.stdout)["range"]
            assert tested["state"] == "done" and tested["best"] == 35, tested
            bending = threading.Thread(target=lambda: wearer.bend(30))
            bending.start()
            done = clinic.ctl("calibration", "neutral", "posture/p-01", "--for", "1s")
            bending.join()
            assert done.returncode == 1 and "refused: it moved by" in done.stderr, done
            done = clinic.ctl("calibration", "neutral", "posture/p-01", "--for", "1s", "--json")
            assert done.returncode == 0, done
            assert json.loads(done.stdout)["neutral"]["state"] == "done", done
            done = clinic.ctl("calibration", "forget", "posture/p-01", "--json")
            assert done.returncode == 0 and "neutral" in json.loads(done.stdout), done
        assert clinic.ctl("calibration", "show", "p-01").returncode == 2
        assert clinic.ctl("calibration", "show", "posture/p-99").returncode == 1
        assert clinic.ctl("calibration", "--help").returncode == 0


if __name__ == "__main__":
    run([a_neutral_posture_is_the_zero_of_everything_until_its_session_is_over,
         a_wearable_that_is_taken_off_or_started_anew_has_no_zero,
         a_range_that_is_tested_is_the_clients_own_and_moves_the_limit,
         lumbarctl_waits_for_both])
