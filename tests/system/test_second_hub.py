"""A second hub on what another one has: refused in one sentence, and the first goes on."""
import signal
import subprocess

from clinic import Clinic, end, run

ROOMS = {"room-1": ["posture/p-01"]}


class Twins:
    """Two configurations of one clinic that share one thing only."""

    def __init__(self, clinic, shared):
        self.folder = clinic.folder / f"second-{shared}"
        self.folder.mkdir()
        self.ring = clinic.ring.with_suffix(f".{shared}")
        words = (clinic.folder / "lumbard.yaml").read_text()
        self.paths = {"ring": clinic.ring, "copy": clinic.folder / "spool",
                      "quarantine": clinic.folder / "quarantine",
                      "recordings": clinic.recordings, "history": clinic.folder / "history.db",
                      "socket": clinic.folder / "ctl"}
        for name, path in self.paths.items():
            if name != shared:
                own = self.ring if name == "ring" else self.folder / path.name
                words = words.replace(f" {path}\n", f" {own}\n")
        words = words.replace("broker:\n", "broker:\n  client_id: second\n")
        (self.folder / "lumbard.yaml").write_text(words)
        (self.folder / "rules.d").mkdir()

    def start(self, build):
        return subprocess.Popen([f"{build}/daemon/lumbard", "--config",
                                 f"{self.folder}/lumbard.yaml"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def each_place_is_one_hubs_only(build):
    with Clinic(build, rooms=ROOMS) as clinic:
        device = clinic.device("posture", "p-01")
        for shared in ("ring", "copy", "quarantine", "recordings", "history"):
            twins = Twins(clinic, shared)
            second = twins.start(build)
            try:
                log, _ = second.communicate(timeout=20)
            finally:
                second.kill()
                twins.ring.unlink(missing_ok=True)
            said = [line for line in log.splitlines() if "in use by another program" in line]
            assert second.returncode == 1, (shared, second.returncode, log)
            assert len(said) == 1 and str(twins.paths[shared]) in said[0], (shared, log)
            device.send(trunk_inclination=[12.0], held_from=1)
        browser, values = clinic.browser(room=1), []
        browser.until(lambda f: values.extend(browser.values(f, "trunk_inclination")) or
                      len(values) == 5, "the first goes on")


def what_nobody_has_is_free_at_once(build):
    """Killed or ended, the first one lets go of everything; and a second with places of its own is
    nobody's trouble."""
    with Clinic(build, rooms=ROOMS) as clinic:
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        twins = Twins(clinic, "nothing")
        second = twins.start(build)
        try:
            line = ""
            while "listening on" not in line:
                line = second.stdout.readline()
                assert line, "the second ended"
        finally:
            code = end(second, signal.SIGTERM)
            second.stdout.close()
            twins.ring.unlink(missing_ok=True)
        assert code == 0, code


if __name__ == "__main__":
    run([each_place_is_one_hubs_only, what_nobody_has_is_free_at_once])
