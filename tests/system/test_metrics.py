"""What a monitor sees: /metrics as promtool wants it, named by the plugins' own words, /healthz, and a
dashboard that asks for nothing that is not there."""
import http.client
import json
import re
import shutil
import subprocess

from clinic import TOP, Clinic, Skipped, run, wait_for

RULES = """
rules:
  - {name: bent, metric: posture/trunk_inclination, above: 20 deg, priority: high, text: Bent}
"""


def fetch(clinic, path, method="GET"):
    door = http.client.HTTPConnection("127.0.0.1", clinic.web_port, timeout=10)
    door.request(method, path)
    answer = door.getresponse()
    text = answer.read().decode()
    door.close()
    return answer.status, answer.headers.get("Content-Type"), text


def samples(clinic):
    """{name and labels: value}"""
    status, kind, text = fetch(clinic, "/metrics")
    assert status == 200 and kind == "text/plain; version=0.0.4; charset=utf-8", (status, kind)
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if not line.startswith("#")}


def the_hub_and_its_devices_are_told_in_base_units(build):
    with Clinic(build, rules=RULES, rooms={"room-1": ["posture/p-01"]}) as clinic:
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        for _ in range(3):
            device.send(trunk_inclination=[25.0] * 5, battery=80)
            browser.until(lambda f: browser.values(f, "trunk_inclination"), "a value")
        told = wait_for("all of it", lambda: (lambda now: now if
                        now.get('lumbar_alarms_standing{priority="high"}') == 1 else None)(samples(clinic)))
        where = '{device="p-01",room="room-1"}'
        assert told[f"lumbar_posture_trunk_inclination_degrees{where}"] == 25, told
        assert told[f"lumbar_posture_battery_ratio{where}"] == 0.8, told
        assert told['lumbar_device_messages_total{kind="posture",device="p-01"}'] == 3, told
        assert told["lumbar_messages_total"] == 3 and told["lumbar_broker_connected"] == 1, told
        assert told['lumbar_alarms_unacknowledged{priority="high"}'] == 1, told
        assert 1 <= told["lumbar_publish_to_frame_seconds_count"] <= 3, told
        assert told["lumbar_publish_to_frame_seconds_sum"] < 3, told
        assert told['lumbar_publish_to_frame_seconds_bucket{le="+Inf"}'] == \
            told["lumbar_publish_to_frame_seconds_count"], told
        assert "frames     half within" in clinic.ctl("status").stdout
        assert fetch(clinic, "/metrics", "POST")[0] in (405, 411), "metrics are only read"
        assert fetch(clinic, "/metricsx")[0] == 404
        # What is silent is not told: its last number is not that of now.
        wait_for("it to be stale", lambda: not any("trunk_inclination" in name for name in samples(clinic)))


def promtool_has_nothing_to_complain_of(build):
    promtool = shutil.which("promtool")
    if promtool is None:
        raise Skipped("promtool is not here (Debian's package prometheus)")
    rooms = {"room-1": ["posture/p-01", "massage/m-01"]}
    with Clinic(build, rooms=rooms) as clinic:
        posture, massage = clinic.device("posture", "p-01"), clinic.device("massage", "m-01")
        posture.send(trunk_inclination=[25.0], lumbar_flexion=[30.0], posture=[1], battery=80,
                     rssi=-60)
        massage.send(skin_temperature=[40.0], massage_pressure=[50.0], state=2)
        wait_for("a state", lambda: any(name.startswith("lumbar_massage_state{") and 'state="' in name
                                        for name in samples(clinic)))
        told = subprocess.run([promtool, "check", "metrics"], input=fetch(clinic, "/metrics")[2], text=True,
                              capture_output=True, check=False)
        assert told.returncode == 0 and told.stdout + told.stderr == "", told


# In daemon/api/metrics_bounds.c; a bound that overflows here is counted there.
BOUNDS = {"spool", "broker_queue", "devices", "feed", "alarms", "causes", "suppressed",
          "history_blocks", "store_rows", "recorder_blocks", "recorder_tracks", "quarantine",
          "condemned", "webhook_calls", "connections", "questions", "reports", "answers", "passwords",
          "clients", "plans", "keys", "accounts", "passes", "audit_lines", "removals", "trials",
          "logins", "glass", "session_notes", "session_devices", "device_missed"}


def bounds(clinic, what):
    return {name[len(f'lumbar_bound_{what}{{bound="'):-2]: value
            for name, value in samples(clinic).items() if name.startswith(f"lumbar_bound_{what}{{")}


def each_bound_says_what_it_holds_and_what_found_no_room(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, extra="devices:\n  max: 2\n") as clinic:
        used, size, over = (bounds(clinic, what) for what in ("used", "size", "overflow_total"))
        assert set(used) == set(size) == set(over) == BOUNDS, (used, size, over)
        assert all(0 <= used[name] <= size[name] > 0 for name in BOUNDS), (used, size)
        assert not any(over.values()), over
        assert used["devices"] == 1 and size["devices"] == 2, (used, size)
        for name in ("p-01", "p-02", "p-03"):
            clinic.device("posture", name).send(trunk_inclination=[5.0], battery=80)
        wait_for("the third finds no place", lambda: bounds(clinic, "overflow_total")["devices"] == 1)
        wait_for("values are held", lambda: (lambda now: now["feed"] > 0 and now["devices"] == 2 and
                                             now["history_blocks"] > 0)(bounds(clinic, "used")))


def health_is_a_word(build):
    with Clinic(build) as clinic:
        wait_for("all is well", lambda: fetch(clinic, "/healthz")[0] == 200)
        assert fetch(clinic, "/healthz")[2] == '{"status":"ok"}'
        clinic.stop_broker()
        wait_for("it is not", lambda: fetch(clinic, "/healthz")[0] == 503)


def what_the_broker_drops_is_told(build):
    """It keeps so many for a client that is away, and drops what comes then: that is an alarm, as the
    shipped rules have it."""
    rules = (TOP / "config/rules.d/technical.yaml").read_text()
    with Clinic(build, start=False, rules=rules) as clinic:
        clinic.stop_broker()
        clinic.start_broker("sys_interval 1\nmax_queued_messages 5\n")
        clinic.start_hub()
        where = ["-h", "127.0.0.1", "-p", str(clinic.broker_port), "-q", "1"]
        subprocess.run(["mosquitto_sub", *where, "-c", "-i", "away", "-t", "for/away", "-E"], check=True)
        wait_for("the broker's counter", lambda: clinic.said("broker connected"))
        assert clinic.ask("/health")[1]["complaints"] == []
        subprocess.run(["mosquitto_pub", *where, "-t", "for/away", "-l"], input="x\n" * 40, text=True, check=True)
        wait_for("it is told", lambda: samples(clinic)["lumbar_broker_dropped_total"] > 0)
        wait_for("the complaint", lambda: any("The broker dropped" in words
                                              for words in clinic.ask("/health")[1]["complaints"]))
        assert clinic.said("broker: it dropped"), clinic.log_path.read_text()
        alarms = wait_for("the alarm", lambda: [
            a for a in clinic.ask("/alarms")[1]["alarms"] if a["rule"] == "broker-drops"])
        assert (alarms[0]["device"], alarms[0]["presence"], alarms[0]["kind"]) == \
            ("hub/lumbard", "on", "technical"), alarms
        assert clinic.ask(f"/alarms/{alarms[0]['number']}/ack", "POST", {"by": "Ana"})[0] == 200


def the_dashboard_asks_for_what_is_there(build):
    board = json.loads((TOP / "config/grafana/lumbar.json").read_text())
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}) as clinic:
        clinic.device("posture", "p-01").send(trunk_inclination=[25.0])
        told = {re.match(r"\w+", name)[0] for name in samples(clinic)}
        asked = {name for panel in board["panels"] for target in panel["targets"]
                 for name in re.findall(r"\blumbar_\w+", target["expr"])}
        assert len(asked) > 15 and asked <= told, asked - told


if __name__ == "__main__":
    run([the_hub_and_its_devices_are_told_in_base_units, promtool_has_nothing_to_complain_of,
         each_bound_says_what_it_holds_and_what_found_no_room, health_is_a_word, what_the_broker_drops_is_told, the_dashboard_asks_for_what_is_there])
