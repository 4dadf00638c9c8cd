"""The demo as a newcomer starts it: it runs, it ends, and nothing of it is left."""
import fcntl
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request

from clinic import TOP, Clinic, Skipped, free_port, run, wait_for


def leftovers(pid):
    """Files that a demo of this process id would leave; others on this machine have their own."""
    places = [pathlib.Path(os.environ.get("TMPDIR", "/tmp")), pathlib.Path("/dev/shm")]
    return [str(f) for p in places if p.is_dir() for f in p.glob(f"lumbar-demo.{pid}.*")]


def start(*arguments, before=()):
    return subprocess.Popen([*before, str(TOP / "config/demo"), "--no-install", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            stdin=subprocess.DEVNULL, start_new_session=True)


class Terminal:
    """The demo in a terminal of its own, where Ctrl-C is a key and not a signal to one process."""

    def __init__(self, *arguments):
        self.text = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(TOP / "config/demo", ["demo", "--no-install", *arguments])
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while part := os.read(self.master, 4096):
                self.text += part.decode(errors="replace")
        except OSError:  # nobody has the terminal open any more
            pass

    def press_ctrl_c(self):
        os.write(self.master, b"\x03")

    def exit_code(self, seconds=30):
        """Of the demo; one that does not end in time is killed with all that is in its terminal."""
        found = []

        def ended():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            found[:] = [os.waitstatus_to_exitcode(status)] if pid else []
            return found

        try:
            wait_for("the demo's end", ended, seconds)
        except AssertionError:
            for pid in members(self.pid):
                os.kill(int(pid), signal.SIGKILL)
            os.waitpid(self.pid, 0)
            raise AssertionError(f"the demo did not end: {self.text}") from None
        self.reader.join(5)
        os.close(self.master)
        return found[0]


def members(session):
    """The processes of a session that still live."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(entry.parent.name)
    return found


def served(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as page:
            return page.read()
    except OSError:
        return None


def ctrl_c_leaves_no_process_and_no_file(_build):
    port = free_port()
    demo = Terminal("--port", str(port), "--rooms", "3")
    wait_for("the page", lambda: served(port) or "ended, nothing" in demo.text, 240)
    wait_for("the broker", lambda: "broker connected" in demo.text or "nothing is" in demo.text, 20)
    assert "nothing is left" not in demo.text, demo.text
    demo.press_ctrl_c()
    assert demo.exit_code() == 0, demo.text
    assert f"http://127.0.0.1:{port}/" in demo.text, demo.text
    assert "nothing is left behind" in demo.text and "exit code" not in demo.text, demo.text
    assert not leftovers(demo.pid), leftovers(demo.pid)
    wait_for("its processes are gone", lambda: not members(demo.pid))


def ctrl_c_at_any_moment_of_the_start_leaves_nothing(_build):
    for words in ("building", "starting mosquitto", "starting lumbar-sim", "starting lumbard"):
        demo = Terminal("--port", str(free_port()), "--rooms", "1")
        wait_for(words, lambda: words in demo.text, 240)
        demo.press_ctrl_c()
        demo.exit_code()
        assert not leftovers(demo.pid), (words, leftovers(demo.pid), demo.text)
        wait_for("its processes are gone", lambda: not members(demo.pid))


def child_named(session, name):
    return next((int(pid) for pid in members(session)
                 if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name), None)


def a_hub_that_ends_badly_is_told(_build):
    port = free_port()
    demo = Terminal("--port", str(port), "--rooms", "1")
    wait_for("the page", lambda: served(port), 240)
    os.kill(child_named(demo.pid, "lumbard"), signal.SIGKILL)
    assert demo.exit_code() == 1, demo.text
    assert "lumbard ended with exit code 137" in demo.text, demo.text
    assert not leftovers(demo.pid), leftovers(demo.pid)


def one_that_hangs_is_killed(_build):
    port = free_port()
    demo = Terminal("--port", str(port), "--rooms", "1")
    wait_for("the page", lambda: served(port), 240)
    hub = child_named(demo.pid, "lumbard")
    os.kill(hub, signal.SIGSTOP)
    demo.press_ctrl_c()
    assert demo.exit_code(40) == 1, demo.text
    assert "lumbard ended with exit code 137" in demo.text, demo.text
    assert not leftovers(demo.pid) and not members(demo.pid), leftovers(demo.pid)


def it_ends_by_itself_after_its_seconds(_build):
    port = free_port()
    demo = start("--port", str(port), "--rooms", "1", "--seconds", "3")
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0 and "nothing is left behind" in output, output
    assert not leftovers(demo.pid) and not members(demo.pid)


def the_page_may_have_the_port_that_brokers_usually_have(_build):
    # In a network of its own, where nobody else can have the port. Its loopback is down at first.
    mine = [] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]
    alone = ["unshare", *mine, "--net", "--", sys.executable, __file__, "--in-a-network"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        raise Skipped("this machine allows no network namespaces")
    demo = start("--port", "1883", "--rooms", "1", "--seconds", "3", before=alone)
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0 and "broker connected" in output, output
    assert not leftovers(demo.pid), leftovers(demo.pid)


def run_in_a_network(command):
    """Of the namespace that this process is in: takes its loopback up, and becomes the command."""
    siocsifflags, iff_up = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))
    os.execvp(command[0], command)


def a_taken_port_is_a_clear_error(build):
    with Clinic(build) as clinic:
        demo = start("--port", str(clinic.web_port))
        output, _ = demo.communicate(timeout=60)
        assert demo.returncode == 1, output
        assert re.search(rf"port {clinic.web_port} is in use", output), output


def what_it_builds_is_all_that_it_runs(_build):
    """In a fresh folder; with every plugin, for the shipped rules speak of each."""
    wanted = re.search(r'^"\$top/tests/build" "\$build" (.*)$', (TOP / "config/demo").read_text(), re.M)
    with tempfile.TemporaryDirectory() as fresh:
        subprocess.run(["cmake", "-S", TOP, "-B", fresh, "-G", "Ninja"], check=True, stdout=subprocess.DEVNULL)
        steps = subprocess.run(["ninja", "-C", fresh, "-t", "commands", *wanted[1].split()], check=True, text=True,
                               capture_output=True).stdout
    for plugin in (TOP / "plugins").glob("*/*.c"):
        if plugin.parent.name not in ("columns", "template"):
            assert f"plugins/{plugin.parent.name}.so" in steps, f"{plugin.parent.name} is not built"
    for program in ("daemon/lumbard", "tests/sim/lumbar-sim"):
        assert f"-o {program} " in steps, program


def wrong_arguments_are_told(_build):
    for arguments in (["--rooms", "0"], ["--rooms", "x"], ["--port"], ["--romms", "3"]):
        demo = start(*arguments)
        output, _ = demo.communicate(timeout=20)
        assert demo.returncode == 1 and output.count("\n") == 1, output


if __name__ == "__main__" and sys.argv[1:2] == ["--in-a-network"]:
    run_in_a_network(sys.argv[2:])
elif __name__ == "__main__":
    run([ctrl_c_leaves_no_process_and_no_file, ctrl_c_at_any_moment_of_the_start_leaves_nothing,
         a_hub_that_ends_badly_is_told, one_that_hangs_is_killed,
         it_ends_by_itself_after_its_seconds,
         the_page_may_have_the_port_that_brokers_usually_have, a_taken_port_is_a_clear_error,
         what_it_builds_is_all_that_it_runs, wrong_arguments_are_told])
