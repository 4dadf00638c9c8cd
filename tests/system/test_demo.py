"""The demo as a newcomer starts it: it runs, it ends, and nothing of it is left."""
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request

from clinic import TOP, Clinic, free_port, run, wait_for


def leftovers():
    """Files and processes that a demo would leave."""
    places = [pathlib.Path(os.environ.get("TMPDIR", "/tmp")), pathlib.Path("/dev/shm")]
    files = [str(f) for p in places if p.is_dir() for f in p.glob("lumbar-demo.*")]
    return files


def start(*arguments):
    return subprocess.Popen([str(TOP / "config/demo"), "--no-install", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            stdin=subprocess.DEVNULL, start_new_session=True)


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
    before, port = leftovers(), free_port()
    demo = start("--port", str(port), "--rooms", "3")
    wait_for("the page", lambda: served(port) or demo.poll() is not None, 240)
    assert demo.poll() is None, demo.stdout.read()
    time.sleep(2)
    os.kill(demo.pid, signal.SIGINT)
    output, _ = demo.communicate(timeout=20)
    assert demo.returncode == 0, output
    assert f"http://127.0.0.1:{port}/" in output and "broker connected" in output, output
    assert leftovers() == before, leftovers()
    wait_for("its processes are gone", lambda: not members(demo.pid), 5)


def it_ends_by_itself_after_its_seconds(_build):
    before, port = leftovers(), free_port()
    demo = start("--port", str(port), "--rooms", "1", "--seconds", "3")
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0 and "nothing is left behind" in output, output
    assert leftovers() == before and not members(demo.pid)


def a_taken_port_is_a_clear_error(build):
    with Clinic(build) as clinic:
        demo = start("--port", str(clinic.web_port))
        output, _ = demo.communicate(timeout=60)
        assert demo.returncode == 1, output
        assert re.search(rf"port {clinic.web_port} is in use", output), output


def wrong_arguments_are_told(_build):
    for arguments in (["--rooms", "0"], ["--rooms", "x"], ["--port"], ["--romms", "3"]):
        demo = start(*arguments)
        output, _ = demo.communicate(timeout=20)
        assert demo.returncode == 1 and output.count("\n") == 1, output


if __name__ == "__main__":
    run([ctrl_c_leaves_no_process_and_no_file, it_ends_by_itself_after_its_seconds,
         a_taken_port_is_a_clear_error, wrong_arguments_are_told])
