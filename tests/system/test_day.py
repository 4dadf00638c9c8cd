"""A short day of the whole hub, for who watches its memory and its threads: plain, with sanitizers,
and under valgrind (LUMBAR_UNDER). All its threads have work at once, and it must end clean."""
import os
import shutil
import signal
import subprocess
import urllib.request

from clinic import TOP, Clinic, Mqtt, run, wait_for

SECONDS = 10
PATIENCE = 60 if "valgrind" in os.environ.get("LUMBAR_UNDER", "") else 20
ROOMS = {f"room-{i}": [f"posture/p-{i:02}", f"massage/m-{i:02}"] for i in range(1, 7)}


def simulator(build, clinic):
    faults = ["1:posture:malformed@2+2", "2:posture:duplicates=30@1", "3:posture:reorder@1",
              "4:posture:silence@3+3", "5:massage:stall@2", "6:massage:reboot@4"]
    return subprocess.Popen(
        [f"{build}/tests/sim/lumbar-sim", "--port", str(clinic.broker_port), "--rooms", "6",
         "--seconds", str(SECONDS), *[word for fault in faults for word in ("--fault", fault)]],
        stdin=subprocess.DEVNULL)


def fetch_page(clinic):
    with urllib.request.urlopen(f"http://127.0.0.1:{clinic.web_port}/", timeout=PATIENCE) as page:
        assert page.status == 200 and b"<html" in page.read()


def wall_and_each_room_show_values(clinic):
    wall = clinic.browser()
    wall.until(lambda f: f.latest, "the wall", PATIENCE)
    for room in range(1, len(ROOMS) + 1):
        browser = clinic.browser(room=room)
        browser.until(lambda f: f.points, f"strips of room {room}", PATIENCE)
        browser.socket.close()  # as a tablet that is put down: no close frame
    wall.until(lambda f: any(a.presence == 1 for a in f.alarms), "the stall's alarm", PATIENCE)
    return wall


def broker_goes_and_returns(clinic, wall):
    clinic.mqtt.close()
    clinic.stop_broker()
    wall.until(lambda f: f.HasField("health") and not f.health.broker, "the loss", PATIENCE)
    clinic.start_broker()
    clinic.mqtt = Mqtt(clinic.broker_port, "test-devices-2", ["lumbar/v1/+/+/ack"])
    wall.until(lambda f: f.HasField("health") and f.health.broker, "the return", 2 * PATIENCE)
    clinic.device("posture", "p-01").send(trunk_inclination=[12.0] * 10, held_from=1)
    wait_for("an ack", lambda: clinic.received("lumbar/v1/posture/p-01/ack"), PATIENCE)


def both_reloads(clinic):
    """One that is taken and one that is refused."""
    clinic.hub.send_signal(signal.SIGHUP)
    wait_for("a reload", lambda: clinic.said("configuration reloaded"), PATIENCE)
    clinic.write_config(extra="brokr: {}\n")
    clinic.hub.send_signal(signal.SIGHUP)
    wait_for("the refusal", lambda: clinic.said("nothing changed"), PATIENCE)


def its_recordings_are_sound(build, clinic):
    clinic.write_config(extra="")
    ended = subprocess.run([f"{build}/daemon/lumbarctl", "recording", "verify", "--config",
                            f"{clinic.folder}/lumbard.yaml"], capture_output=True, text=True)
    assert ended.returncode == 0 and ended.stdout.count(": good (") == len(ROOMS), ended


def a_day_with_faults_reloads_and_a_lost_broker_ends_clean(build):
    with Clinic(build, rooms=ROOMS, start=False) as clinic:
        clinic.write_config(recorded=True)
        shutil.copytree(TOP / "config/rules.d", clinic.folder / "rules.d", dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("tests"))
        clinic.start_hub()
        played = simulator(build, clinic)
        try:
            wall = wall_and_each_room_show_values(clinic)
            fetch_page(clinic)
            both_reloads(clinic)
            assert played.wait(SECONDS + PATIENCE) == 0
        finally:
            played.kill()
            played.wait()
        broker_goes_and_returns(clinic, wall)
        clinic.hub.send_signal(signal.SIGTERM)
        wall.until(lambda f: f.HasField("bye"), "a bye", PATIENCE)
        code = clinic.hub.wait(PATIENCE)
        assert code == 0, f"exit code {code}: {clinic.log_path.read_text()[-6000:]}"
        assert clinic.said("stopped")
        its_recordings_are_sound(build, clinic)


if __name__ == "__main__":
    run([a_day_with_faults_reloads_and_a_lost_broker_ends_clean])
