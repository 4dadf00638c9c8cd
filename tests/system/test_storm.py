"""The broker goes, and two hundred devices come back at once with what they kept."""
import signal
import subprocess

from clinic import Clinic, end, run, wait_for

ROOMS = 100
DEVICES = 2 * ROOMS  # each has a wearable and a massage device


class Storm:
    def __init__(self, clinic):
        self.clinic = clinic
        self.log = open(clinic.folder / "sim.log", "w")
        self.process = subprocess.Popen(
            [f"{clinic.build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port), "--rooms",
             str(ROOMS), "--rate", "10", "--batch", "500", "--verbose"],
            stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process, signal.SIGTERM)
        self.log.close()

    def devices(self):
        return self.clinic.ask("/devices")[1]["devices"]

    def all_are_heard(self, since=None):
        """Each of them, after `since` messages; none of them old."""
        heard = self.devices()
        return len(heard) == DEVICES and all(
            d["age_ms"] is not None and d["age_ms"] < 3000 and
            d["messages"] > (since or {}).get(d["name"], 0) + 3 for d in heard) and heard


def a_storm_of_devices_that_come_back_loses_nothing(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]},
                extra="devices:\n  max: 400\n") as clinic, Storm(clinic) as storm:
        wait_for("all devices", storm.all_are_heard, 60)
        for how in (signal.SIGTERM, signal.SIGKILL):
            before = {d["name"]: d["messages"] for d in storm.devices()}
            clinic.stop_broker(how)
            wait_for("the loss is said",
                     lambda: clinic.ask("/health")[1]["status"] == "degraded", 30)
            clinic.start_broker()
            wait_for("all of them again", lambda: storm.all_are_heard(before), 60)
        wait_for("what they had kept", lambda: all(
            d["lost"] == 0 and d["age_ms"] < 3000 for d in storm.devices()), 60)
        heard = storm.devices()
        assert len(heard) == DEVICES, len(heard)
        refused = {d["name"]: d["refused"] for d in heard if d["refused"]}
        assert not refused, refused
        status = clinic.ask("/status")[1]
        assert status["broker"]["connects"] == 3 and status["refused"] == 0, status
        assert status["spool"]["dropped"] == 0 and status["devices_refused"] == 0, status
        late = sum(d["late"] + d["duplicates"] for d in heard)
        print(f"        {status['messages']} messages of {DEVICES} devices, {late} late or again")


if __name__ == "__main__":
    run([a_storm_of_devices_that_come_back_loses_nothing])
