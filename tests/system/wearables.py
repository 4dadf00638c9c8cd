"""Posture wearables that go on speaking, as real ones do, until one is told to be silent."""
import threading

from clinic import Mqtt

EACH_S = 0.3


class Wearables(threading.Thread):
    """Speak three times a second, over whatever broker there is.

        wearables = Wearables(clinic, {"p-1": 5.0, "p-2": 5.0})
        wearables.degrees["p-1"] = 30.0
        wearables.silent.add("p-2")
    """

    def __init__(self, clinic, degrees, battery=80):
        super().__init__(daemon=True)
        self.clinic, self.degrees, self.battery = clinic, dict(degrees), battery
        self.devices = {name: clinic.device("posture", name) for name in degrees}
        self.silent, self.ended = set(), threading.Event()
        self.start()

    def run(self):
        link = None
        while not self.ended.wait(EACH_S):
            try:
                link = link or Mqtt(self.clinic.broker_port, "wearables")
                for name, device in self.devices.items():
                    if name not in self.silent:
                        link.publish(device.topic, device.message(
                            trunk_inclination=[self.degrees[name]], battery=self.battery))
            except (OSError, AssertionError):
                link = None

    def end(self):
        self.ended.set()
        self.join(10)
