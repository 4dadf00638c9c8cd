"""A configuration cannot brick the hub: it falls back on the last good one, and lumbarctl config
checks, compares, applies and takes back."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from clinic import TOP, Clinic, run, wait_for

RULE = """
rules:
  - name: warm
    title: Skin warm
    metric: massage/skin_temperature
    above: 43 Cel
    priority: medium
    text: "Skin {value}."
"""


def start(clinic, **more):
    (clinic.folder / "state").mkdir(exist_ok=True)  # systemd makes it
    clinic.start_hub(STATE_DIRECTORY=f"{clinic.folder}/state", **more)


def kept(clinic):
    return sorted(int(p.name) for p in (clinic.folder / "state/config").iterdir()
                  if p.name.isdigit())


def whole(clinic):
    return [number for number in kept(clinic)
            if not (clinic.folder / f"state/config/{number}/unsynced").exists()]


def config(clinic, *arguments, code=0):
    said = clinic.ctl("config", *arguments, "--state", f"{clinic.folder}/state")
    assert said.returncode == code, (arguments, said)
    return said


def complaint(clinic):
    return clinic.ask("/status")[1]["config"]["complaint"] or ""


def rules(clinic):
    told = clinic.browser().until(lambda f: f.HasField("hello")).hello.rules
    return [rule.name for rule in told if not rule.name.endswith(".lost")]


def at_start_it_goes_on_with_the_last_good_one_and_says_so(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        start(clinic)
        assert kept(clinic) == [1] and not complaint(clinic)
        clinic.stop_hub()
        start(clinic)
        assert kept(clinic) == [1], "the same was kept again"
        for name, old, new, words in [("lumbard.yaml", "clinic:", "clinik:", "clinik"),
                                      ("rules.d/test.yaml", "43 Cel", "43 C", "test.yaml:6:"),
                                      ("lumbard.yaml", "", None, "nothing is in it"),
                                      ("lumbard.yaml", "/history.db", "/no/history.db", "no: No")]:
            clinic.stop_hub()
            file = clinic.folder / name
            good = file.read_text()
            assert old in good
            file.write_text(good.replace(old, new) if new else "")
            start(clinic)
            assert words in complaint(clinic), complaint(clinic)
            assert clinic.said("last configuration that was good") and rules(clinic) == ["warm"]
            assert any("runs with the last one" in c for c in clinic.ask("/health")[1]["complaints"])
            clinic.browser().until(lambda f: f.HasField("health") and f.health.config_old, "the page")
            status = clinic.ctl("status", "--socket", f"{clinic.folder}/ctl")
            assert status.returncode == 1 and words in status.stdout, status
            if "clini" in words or not new:  # it names no socket either: the usual one is tried
                status = clinic.ctl("status")
                assert status.returncode == 3 and "/run/lumbard/ctl" in status.stderr, status
            clinic.log_from = clinic.log_path.stat().st_size
            file.write_text(good)
            clinic.hub.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: clinic.said("configuration reloaded"))
            assert not complaint(clinic) and kept(clinic) == [1]


def one_that_never_comes_up_is_tried_twice(build):
    """Nothing is wrong with it, but that its port is taken: a start fails, and is begun again."""
    with Clinic(build, start=False) as clinic, socket.socket() as taken:
        start(clinic)
        clinic.stop_hub()
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        file = clinic.folder / "lumbard.yaml"
        good = file.read_text()
        file.write_text(good.replace("port: 0", f"port: {taken.getsockname()[1]}"))
        for _ in range(2):
            clinic.start_hub(wait=False, STATE_DIRECTORY=f"{clinic.folder}/state")
            assert clinic.hub.wait(20) == 1 and clinic.said("in use")
        start(clinic)
        assert "was tried 2 times" in complaint(clinic), complaint(clinic)
        clinic.stop_hub()
        file.write_text(good)
        start(clinic)
        assert not complaint(clinic) and kept(clinic) == [1]


def changes_are_told_applied_and_taken_back(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        start(clinic)
        file, other = clinic.folder / "lumbard.yaml", clinic.folder / "other.yaml"
        good = file.read_text()
        assert "good" in config(clinic, "check").stdout
        assert config(clinic, "diff").stdout == ""
        other.write_text(good.replace("Test clinic", "Other clinic").replace("room-1", "salon"))
        said = config(clinic, "diff", str(other), code=5).stdout
        assert "clinic: Test clinic -> Other clinic\n" in said and "room salon: (none) ->" in said
        told = json.loads(config(clinic, "diff", str(other), "--json", code=5).stdout)
        assert {"what": "clinic", "from": "Test clinic", "to": "Other clinic",
                "restart": False} in told, told
        config(clinic, "apply", str(other))
        assert clinic.ask("/status")[1]["clinic"] == "Other clinic" and kept(clinic) == [1, 2]
        assert file.read_text() == other.read_text()
        (clinic.folder / "rules.d/more.yaml").write_text(RULE.replace("warm", "hot"))
        config(clinic, "apply")
        assert (rules(clinic), kept(clinic)) == (["hot", "warm"], [1, 2, 3]), kept(clinic)
        config(clinic, "rollback", "1")
        assert file.read_text() == good and rules(clinic) == ["warm"]
        assert (clinic.folder / "rules.d/more.yaml.before").exists()
        assert config(clinic, "rollback", "--list").stdout.count("lumbard.yaml") == 4


def what_is_refused_is_put_back(build):
    with Clinic(build, start=False) as clinic:
        start(clinic)
        file, other = clinic.folder / "lumbard.yaml", clinic.folder / "other.yaml"
        good = file.read_text()
        for old, new, words in [("clinic:", "clinik:", "clinik"),  # by the check
                                ("port: 0", "port: 1", "web.port cannot be changed")]:  # by the hub
            other.write_text(good.replace(old, new))
            said = config(clinic, "apply", str(other), code=1)
            assert words in said.stderr and file.read_text() == good, said
            assert ".try" not in said.stderr, said  # no such file is there
            assert sorted(p.name for p in clinic.folder.glob("lumbard.yaml*")) == ["lumbard.yaml"]
        config(clinic, "rollback", code=1)  # there is no other
        (clinic.folder / "state/config").rename(clinic.folder / "config-aside")
        (clinic.folder / "state/config").touch()  # or it may not be read
        for words in (["diff"], ["rollback"], ["rollback", "--list"]):
            assert "cannot read" in config(clinic, *words, code=1).stderr, words


def restarted(clinic, *arguments):
    """A command that has the hub started anew: what systemd does is done here."""
    command = subprocess.Popen(
        [clinic.build / "daemon/lumbarctl", "config", *arguments, "--restart", "--config",
         f"{clinic.folder}/lumbard.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while command.poll() is None:
        if clinic.hub.poll() is not None:
            clinic.start_hub(wait=False, STATE_DIRECTORY=f"{clinic.folder}/state",
                             NOTIFY_SOCKET="@nobody")
        try:
            command.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
    return command.returncode, command.stderr.read()


def a_restart_takes_what_a_reload_cannot_or_puts_it_back(build):
    with Clinic(build, start=False) as clinic, socket.socket() as taken:
        start(clinic, NOTIFY_SOCKET="@nobody")
        file, other = clinic.folder / "lumbard.yaml", clinic.folder / "other.yaml"
        good = file.read_text()
        other.write_text(good + "devices:\n  max: 30\n")
        code, said = restarted(clinic, "apply", str(other))
        assert code == 0 and file.read_text() == other.read_text(), said
        assert kept(clinic) == [1, 2]
        assert config(clinic, "diff", "1", code=5).stdout == "devices.max: 30 -> 400  (restart)\n"
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        before = file.read_text()
        other.write_text(before.replace("port: 0", f"port: {taken.getsockname()[1]}"))
        code, said = restarted(clinic, "apply", str(other))
        assert code == 1 and "was tried 2 times" in said and "as it was" in said, said
        assert file.read_text() == before and not complaint(clinic)


def a_slow_disk_does_not_stop_the_page(build):
    """What it came up with is kept and synced: that took the loop's time, a file after the other."""
    with Clinic(build, rules=RULE, rooms={"room-1": ["posture/p-01"]}, start=False) as clinic:
        start(clinic, LD_PRELOAD=f"{build}/fixtures/slow_sync/slow_sync.so",
              LUMBAR_TEST_SLOW="/state/config/")
        wait_for("it is synced", lambda: whole(clinic) == [1])
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        for _ in range(2):  # the second one while the first is still being synced
            rule = clinic.folder / "rules.d/test.yaml"
            rule.write_text(rule.read_text() + "# more\n")
            clinic.log_from = clinic.log_path.stat().st_size
            clinic.hub.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: clinic.said("configuration reloaded"))
            longest = 0
            for value in range(20):
                sent = time.monotonic()
                device.send(trunk_inclination=[float(value)])
                browser.until(lambda f, v=value: v in map(
                    round, browser.values(f, "trunk_inclination")), "it is shown")
                longest = max(longest, time.monotonic() - sent)
            assert longest < 0.6, longest
        assert kept(clinic) == [1, 2, 3]
        wait_for("they are synced", lambda: whole(clinic) == [1, 2, 3])
        assert clinic.ask("/status")[1]["config"]["kept"] == 3


def what_the_disk_refused_does_not_count_as_kept(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        start(clinic, LD_PRELOAD=f"{build}/fixtures/slow_sync/slow_sync.so",
              LUMBAR_TEST_SLOW="/state/config/", LUMBAR_TEST_REFUSED="1")
        wait_for("the disk refuses it", lambda: clinic.said("is not on the disk"))
        assert kept(clinic) == [1] and whole(clinic) == []
        clinic.stop_hub()
        start(clinic)
        wait_for("it is synced", lambda: whole(clinic) == [1])


def who_upgrades_is_told(build):
    """What the package does behind the restart, with this lumbarctl and a hub that fell back."""
    with Clinic(build, rules=RULE, start=False) as clinic:
        start(clinic)
        postinst = (TOP / "config/debian/postinst").read_text()
        function = re.search(r"^tell_fallback\(\)\n{\n.*?^}\n", postinst, re.MULTILINE | re.DOTALL)
        usual = clinic.folder / "lumbarctl"
        usual.write_text(f'#!/bin/sh\nexec {build}/daemon/lumbarctl "$@" --socket {clinic.folder}/ctl\n')
        usual.chmod(0o755)

        def told():
            return subprocess.run(
                ["sh", "-euc", function.group() + "tell_fallback"], text=True, check=True,
                env={**os.environ, "PATH": f"{clinic.folder}:/usr/bin:/bin"}, capture_output=True).stderr
        assert told() == ""
        clinic.stop_hub()
        file = clinic.folder / "rules.d/test.yaml"
        file.write_text(file.read_text().replace("43 Cel", '"43 C"'))
        start(clinic)
        assert "the last configuration that was good" in told() and "test.yaml:6:" in told(), told()


def one_that_a_power_cut_left_unsynced_is_not_gone_back_to(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        start(clinic)
        wait_for("it is synced", lambda: whole(clinic) == [1])
        clinic.stop_hub()
        lost = clinic.folder / "state/config/2"
        lost.mkdir()
        for name in ("unsynced", "lumbard.yaml"):  # as a disk gives them back: without their texts
            (lost / name).touch()
        file = clinic.folder / "lumbard.yaml"
        file.write_text(file.read_text().replace("clinic:", "clinik:"))
        start(clinic)
        assert clinic.said("(1 in ") and rules(clinic) == ["warm"]
        assert config(clinic, "rollback", "--list").stdout.count("lumbard.yaml") == 1
        assert "is not whole" in config(clinic, "rollback", "2", code=1).stderr
        config(clinic, "rollback")
        assert "clinic:" in file.read_text() and rules(clinic) == ["warm"]


if __name__ == "__main__":
    run([at_start_it_goes_on_with_the_last_good_one_and_says_so,
         one_that_never_comes_up_is_tried_twice, changes_are_told_applied_and_taken_back,
         what_is_refused_is_put_back, a_restart_takes_what_a_reload_cannot_or_puts_it_back,
         a_slow_disk_does_not_stop_the_page, what_the_disk_refused_does_not_count_as_kept,
         who_upgrades_is_told,
         one_that_a_power_cut_left_unsynced_is_not_gone_back_to])
