"""Which one is it? A device is asked to show itself: at once or not at all."""
import json
import signal
import subprocess
import time

from clinic import Clinic, end, run, wait_for

ROOMS = {"room-1": ["massage/m-01", "posture/p-01"], "room-2": ["posture/p-02"]}


class Fleet:
    """lumbar-sim, and the lines that it has said."""

    def __init__(self, clinic):
        self.file = clinic.folder / "sim.log"
        with open(self.file, "w") as log:
            self.process = subprocess.Popen(
                [f"{clinic.build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port), "--rooms", "1"],
                stdout=log)
        wait_for("both are heard", lambda: sum(
            device["messages"] > 1 for device in clinic.ask("/devices")[1]["devices"]) == 2, 20)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        end(self.process, signal.SIGTERM)

    def said(self):
        return self.file.read_text().splitlines()


def identify(clinic, device, **body):
    return clinic.ask(f"/devices/{device}/identify", "POST", body)


def the_one_that_is_asked_shows_itself_and_no_other(build):
    with Clinic(build, rooms=ROOMS) as clinic, Fleet(clinic) as fleet:
        asked = time.monotonic()
        status, said = identify(clinic, "posture/p-01", seconds=7)
        assert (status, said) == (202, {"device": "posture/p-01", "seconds": 7}), (status, said)
        wait_for("it shows itself", lambda: fleet.said() == ["p-01 shows itself for 7 s"], 5)
        assert time.monotonic() - asked < 3
        assert identify(clinic, "massage/m-01")[1]["seconds"] == 10
        assert identify(clinic, "posture/p-01", seconds=0)[0] == 202
        wait_for("the others", lambda: fleet.said()[1:] == ["m-01 shows itself for 10 s",
                                                            "p-01 shows itself no more"], 5)


def what_cannot_hear_is_not_asked_late(build):
    with Clinic(build, rooms=ROOMS) as clinic:
        told = lambda: [topic for topic, _, _ in clinic.mqtt.received if topic.endswith("/identify")]
        clinic.mqtt.subscribe("lumbar/v1/+/+/identify")
        assert identify(clinic, "posture/p-01")[0] == 409, "it was never heard"
        device = clinic.device("posture", "p-01")
        device.send(trunk_inclination=[5.0])
        wait_for("it is heard", lambda: clinic.ask("/devices/posture/p-01")[1]["messages"] == 1)
        for body, words in (({"seconds": 61}, "seconds"), ({"seconds": -1}, "seconds"),
                            ({"seconds": "ten"}, "seconds"), ({"second": 1}, "second")):
            status, said = identify(clinic, "posture/p-01", **body)
            assert status in (400, 422) and words in said["detail"], (body, status, said)
        assert identify(clinic, "posture/p-99")[0] == 404
        assert told() == []
        assert identify(clinic, "posture/p-01")[0] == 202
        wait_for("it is asked", lambda: told() == ["lumbar/v1/posture/p-01/identify"])
        offline = lambda: all(value["state"] == "offline" for value in
                              clinic.ask("/devices/posture/p-01")[1]["values"].values())
        wait_for("it is offline", offline, 60)
        status, said = identify(clinic, "posture/p-01")
        assert status == 409 and "offline" in said["detail"], said
        device.send(trunk_inclination=[5.0])
        wait_for("it is back", lambda: not offline())
        clinic.stop_broker()
        wait_for("the broker is missed", lambda: not clinic.ask("/status")[1]["broker"]["connected"])
        device_is_there = identify(clinic, "posture/p-01")
        assert device_is_there[0] == 503 and "broker" in device_is_there[1]["detail"], device_is_there
        clinic.start_broker()
        wait_for("the broker is back", lambda: clinic.ask("/status")[1]["broker"]["connected"], 30)
        time.sleep(1)
        assert len(told()) == 1, "nothing comes late"


def lumbarctl_asks_and_the_trail_says_who(build):
    with Clinic(build, rooms=ROOMS) as clinic, Fleet(clinic) as fleet:
        for arguments, code, words in [
                (["posture/p-01"], 0, "posture/p-01 was asked to show itself for 10 s\n"),
                (["posture/p-01", "--seconds", "0"], 0, "posture/p-01 was asked to end it\n"),
                (["posture/p-01", "--seconds", "99"], 1, "seconds"),
                (["posture/p-01", "--seconds", "soon"], 2, "usage:"),
                (["posture/p-02"], 1, "offline"), (["posture/p-99"], 1, "no device posture/p-99"),
                (["p-01"], 2, "'p-01' is no device"), ([], 2, "usage:")]:
            ended = clinic.ctl("identify", *arguments)
            assert ended.returncode == code and words in ended.stdout + ended.stderr, (arguments, ended)
        assert json.loads(clinic.ctl("identify", "massage/m-01", "--seconds", "3", "--json").stdout) == \
            {"device": "massage/m-01", "seconds": 3}
        wait_for("three orders", lambda: len(fleet.said()) == 3)
        wait_for("the trail", lambda: [
            (line["about"], line["outcome"]) for line in clinic.ask("/audit")[1]["lines"]
            if line["what"] == "POST /devices/{kind}/{name}/identify" and line["outcome"] == 202] ==
            [("posture/p-01", 202)] * 2 + [("massage/m-01", 202)])


if __name__ == "__main__":
    run([the_one_that_is_asked_shows_itself_and_no_other, what_cannot_hear_is_not_asked_late,
         lumbarctl_asks_and_the_trail_says_who])
