"""The hub as a service: notification, watchdog, reload, the unit file."""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from clinic import TOP, Clinic, Skipped, run, wait_for


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.lines = []

    def heard(self, words):
        try:
            while True:
                self.lines += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            pass
        return sum(words in line for line in self.lines)


def ready_watchdog_reload_and_stop_are_told(build):
    with Clinic(build, start=False) as clinic:
        systemd = Systemd(clinic.folder)
        clinic.start_hub(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="1000000")
        assert systemd.heard("READY=1") == 1, systemd.lines
        before = systemd.heard("WATCHDOG=1")
        time.sleep(3)
        assert systemd.heard("WATCHDOG=1") >= before + 3, systemd.lines
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("READY after the reload", lambda: systemd.heard("READY=1") == 2)
        assert systemd.heard("RELOADING=1") == 1
        assert systemd.heard("MONOTONIC_USEC=") == 1
        clinic.stop_hub()
        assert systemd.heard("STOPPING=1") == 1


class Frozen:
    """One thread of a process, held by ptrace while all others go on."""
    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, pid, name):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.thread = next(int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                           if (task / "comm").read_text().strip() == name)

    def _ptrace(self, request):
        done = self.libc.ptrace(request, self.thread, None, None)
        assert done == 0, os.strerror(ctypes.get_errno())

    def __enter__(self):
        self._ptrace(self.SEIZE)
        self._ptrace(self.INTERRUPT)
        os.waitpid(self.thread, self.WALL)

    def __exit__(self, *_):
        self._ptrace(self.DETACH)


def the_watchdog_starves_when_any_thread_stands_still(build):
    """The loop, or one that writes; the others go on as if nothing were."""
    with Clinic(build, start=False) as clinic:
        systemd = Systemd(clinic.folder)
        clinic.start_hub(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="2000000")
        for name in ("lumbard", "spool-copy", "store", "recorder"):
            with Frozen(clinic.hub.pid, name):
                time.sleep(2.5)  # so long a thread may take for a sync
                before = systemd.heard("WATCHDOG=1")
                time.sleep(2.5)
                assert systemd.heard("WATCHDOG=1") == before, f"{name} stands still, and it is fed"
            wait_for("it is fed again", lambda: systemd.heard("WATCHDOG=1") > before)


def it_is_ready_without_a_broker_and_finds_it_later(build):
    with Clinic(build, start=False) as clinic:
        clinic.mqtt.close()
        clinic.stop_broker()
        systemd = Systemd(clinic.folder)
        clinic.start_hub(wait=False, NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="1000000")
        wait_for("READY", lambda: systemd.heard("READY=1"))
        time.sleep(1.5)
        assert systemd.heard("WATCHDOG=1") > 0, "the watchdog depends on the broker"
        clinic.start_broker()
        wait_for("the broker", lambda: clinic.said("broker connected"), 20)


def a_taken_port_or_spool_is_one_clear_error(build):
    with Clinic(build) as clinic:
        config = clinic.folder / "lumbard.yaml"
        text = config.read_text()
        second = clinic.folder / "second.yaml"
        for change, words in [
            ((("port: 0", f"port: {clinic.web_port}"), (str(clinic.ring), str(clinic.ring) + "2"),
              ("/spool\n", "/spool2\n"), ("/quarantine\n", "/quarantine2\n")), "in use"),
            ((), str(clinic.ring)),
        ]:
            changed = text
            for old, new in change:
                changed = changed.replace(old, new)
            second.write_text(changed)
            ended = subprocess.run([f"{build}/daemon/lumbard", "--config", str(second)],
                                   capture_output=True, text=True, timeout=20)
            assert ended.returncode == 1, ended
            errors = [line for line in ended.stderr.splitlines() if "error" in line]
            assert len(errors) == 1 and words in errors[0], ended.stderr
        (clinic.ring.parent / (clinic.ring.name + "2")).unlink(missing_ok=True)


def a_start_that_fails_takes_back_what_it_had_begun(build):
    """Its last step but one fails here: loop, page and socket are there already."""
    with Clinic(build, start=False) as clinic:
        text = clinic.write_config().read_text()
        (clinic.folder / "lumbard.yaml").write_text(
            text.replace("web:\n", "  username: hub\n  password_file: /nowhere/secret\nweb:\n"))
        ended = subprocess.run([f"{build}/daemon/lumbard", "--config",
                                str(clinic.folder / "lumbard.yaml")],
                               capture_output=True, text=True, timeout=20)
        assert ended.returncode == 1, ended
        errors = [line for line in ended.stderr.splitlines() if "error" in line]
        assert len(errors) == 1 and "lumbard.yaml:5:18: " in errors[0], ended.stderr
        assert not (clinic.folder / "ctl").exists(), "its socket is left behind"
        clinic.write_config()
        clinic.start_hub()  # nothing is locked, and nothing is damaged


def the_unit_file_is_understood_whole(build):
    if shutil.which("systemd-analyze") is None:
        raise Skipped("there is no systemd-analyze; apt-get install systemd")
    with Clinic(build, start=False) as clinic:
        unit = clinic.folder / "lumbard.service"
        text = open(f"{build}/systemd/lumbard.service", encoding="utf-8").read()
        program = next(line.split("=", 1)[1].split()[0] for line in text.splitlines()
                       if line.startswith("ExecStart="))
        unit.write_text(text.replace(program, f"{build}/daemon/lumbard"))
        os.chmod(unit, 0o644)
        # It returns 0 on unknown keys too: what counts is that it has nothing to say of this unit.
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)],
                              capture_output=True, text=True, timeout=60)
        ours = [line for line in (said.stdout + said.stderr).splitlines() if "lumbard" in line]
        assert not ours, ours


def security(root, unit):
    """What systemd-analyze says of a unit below a folder: its score, and what it marks as open."""
    said = subprocess.run(["systemd-analyze", f"--root={root}", "security", "--offline=true",
                           "--no-pager", unit], capture_output=True, text=True, timeout=60).stdout
    score = float(re.search(r"exposure level for .*: ([0-9.]+)", said).group(1))
    return score, re.findall(r"^\N{BALLOT X} (\S+)", said, re.MULTILINE)


def both_units_are_fenced_in_and_each_line_has_its_reason(build):
    if shutil.which("systemd-analyze") is None:
        raise Skipped("there is no systemd-analyze; apt-get install systemd")
    with Clinic(build, start=False) as clinic:
        units = clinic.folder / "root/usr/lib/systemd/system"
        (units / "mosquitto.service.d").mkdir(parents=True)
        (clinic.folder / "root/lib").symlink_to("usr/lib")
        text = open(f"{build}/systemd/lumbard.service", encoding="utf-8").read()
        (units / "lumbard.service").write_text(text)
        shutil.copy("/lib/systemd/system/mosquitto.service", units)
        shutil.copy(TOP / "systemd/mosquitto.conf", units / "mosquitto.service.d/lumbar.conf")
        for unit in ("lumbard.service", "mosquitto.service"):
            score, left_open = security(clinic.folder / "root", unit)
            print(f"        {unit} scores {score}")
            assert score <= 1.5, (unit, score, left_open)
            if unit == "lumbard.service":
                unsaid = [name for name in left_open if name not in text]
                assert not unsaid, f"no reason in the unit: {unsaid}"
        for unit in (text, (TOP / "systemd/mosquitto.conf").read_text()):
            for part in unit.split("[Service]")[1].split("[Install]")[0].split("\n\n")[1:]:
                assert not part.strip() or part.startswith("#"), f"no reason before: {part}"


if __name__ == "__main__":
    run([ready_watchdog_reload_and_stop_are_told, the_watchdog_starves_when_any_thread_stands_still,
         it_is_ready_without_a_broker_and_finds_it_later,
         a_taken_port_or_spool_is_one_clear_error,
         a_start_that_fails_takes_back_what_it_had_begun, the_unit_file_is_understood_whole,
         both_units_are_fenced_in_and_each_line_has_its_reason])
