"""What a pager is told: by a real web server, that is slow, refuses, is away, or speaks TLS."""
import os
import signal
import subprocess
import time

from clinic import Clinic, run, wait_for
from pager import Pager, certify

RULES = """
rules:
  - name: hot
    title: Hot
    metric: massage/skin_temperature
    above: 43 Cel
    priority: high
    text: "Skin {value}."
    action: "Lift the pad."
  - name: bent
    title: Bent
    metric: posture/trunk_inclination
    above: 20 deg
    priority: low
    text: "Bent {value}."
    escalate: 2 s
  - name: quiet
    title: Quiet
    metric: posture/trunk_inclination
    above: 30 deg
    priority: medium
    text: "Bent far {value}."
"""


def aimed(url, more=""):
    return f"webhook:\n  url: {url}\n{more}"


def alarm_of(clinic, rule):
    return next((a for a in clinic.ask("/alarms")[1]["alarms"] if a["rule"] == rule), None)


def it_is_told_what_is_high_and_what_nobody_answers(build):
    pager = Pager()
    with Clinic(build, rules=RULES, start=False) as clinic:
        (clinic.folder / "token").write_text("sesame\n")
        os.chmod(clinic.folder / "token", 0o600)
        clinic.write_config(extra=aimed(f"http://127.0.0.1:{pager.port}/page?to=all",
                                        f"  token_file: {clinic.folder}/token\n"))
        clinic.start_hub()
        skin = clinic.device("massage", "m-01")
        skin.send(skin_temperature=[44.5])
        wait_for("high is told at once", lambda: pager.events("hot") == [("on", "high")])
        path, headers, body = pager.told[0]
        assert path == "/page?to=all" and headers["Authorization"] == "Bearer sesame", headers
        assert headers["Content-Type"] == "application/json", headers
        assert (body["text"], body["action"]) == ("Skin 44.5 °C.", "Lift the pad."), body
        assert (body["clinic"], body["room"]) == ("Test clinic", "room-1"), body
        assert body["at"] == body["raised"], body
        clinic.device("posture", "p-01").send(trunk_inclination=[40.0])
        wait_for("then what nobody answers", lambda: pager.events("bent")[:1] ==
                 [("escalated", "medium")])
        number = alarm_of(clinic, "hot")["number"]
        assert clinic.ask(f"/alarms/{number}/ack", "POST", {"by": "Ana"})[0] == 200
        wait_for("and that it was answered", lambda: pager.events("hot")[1:] ==
                 [("acknowledged", "high")])
        assert pager.told[-1][2]["acknowledged"]["by"] == "Ana"
        skin.send(skin_temperature=[38.0])
        wait_for("and is over", lambda: pager.events("hot")[2:] == [("over", "high")])
        assert pager.events("quiet") == [], "medium, and answered for nobody"
        # Killed, it tells what still stands once more: the last word may not have come there.
        wait_for("bent is high", lambda: pager.events("bent")[1:] == [("escalated", "high")])
        time.sleep(1.5)  # rows are sealed once a second
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        wait_for("it stands", lambda: pager.events("bent")[2:] == [("stands", "high")])
    pager.close()


def a_pager_that_refuses_is_asked_again_and_nothing_waits_for_it(build):
    pager = Pager()
    with Clinic(build, rules=RULES, start=False) as clinic:
        clinic.write_config(extra=aimed(f"http://localhost:{pager.port}/"))
        clinic.start_hub()
        pager.refuse = 2
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        wait_for("it is told", lambda: pager.events("hot") == [("on", "high")], 15)
        wait_for("its refusal is said", lambda: clinic.said("webhook: it answered 503"))
        # Away: said in the status, while alarms go on; and told when it is back.
        pager.close()
        clinic.device("massage", "m-01").send(skin_temperature=[38.0])
        wait_for("it is over", lambda: alarm_of(clinic, "hot") is None)
        wait_for("the status says why", lambda: [
            c for c in clinic.ask("/status")[1]["complaints"] if "webhook" in c and "refused" in c])
        clinic.hub.send_signal(signal.SIGHUP)  # a reload keeps what waits
        wait_for("reloaded", lambda: clinic.said("configuration reloaded"))
        back = Pager()
        clinic.write_config(extra=aimed(f"http://localhost:{back.port}/"))
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("another one is told", lambda: back.events("hot") == [("over", "high")], 20)
        wait_for("all is well", lambda: not [
            c for c in clinic.ask("/status")[1]["complaints"] if "webhook" in c])
        clinic.write_config(extra="")
        clinic.hub.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        clinic.device("massage", "m-01").send(skin_temperature=[44.5])
        wait_for("an alarm", lambda: alarm_of(clinic, "hot"))
        time.sleep(1)
        assert back.events("hot") == [("over", "high")], "nobody is to be told any more"
        back.close()


def by_tls_it_is_told_only_if_it_is_who_it_says(build):
    with Clinic(build, rules=RULES, start=False) as clinic:
        certify(clinic.folder)
        pager = Pager(clinic.folder)

        def aim(host, ca):
            clinic.write_config(extra=aimed(f"https://{host}:{pager.port}/",
                                            f"  ca_file: {clinic.folder}/{ca}\n"))
        aim("127.0.0.1", "other.pem")
        clinic.start_hub()
        skin = clinic.device("massage", "m-01")
        skin.send(skin_temperature=[44.5])
        wait_for("it is not believed", lambda: clinic.said("webhook: TLS: "))
        aim("localhost", "ca.pem")
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("nor under another name", lambda: [
            c for c in clinic.ask("/status")[1]["complaints"] if "ostname mismatch" in c], 20)
        assert pager.told == []
        aim("127.0.0.1", "ca.pem")
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("it is told", lambda: pager.events("hot") == [("on", "high")], 40)
        skin.send(skin_temperature=[38.0])
        wait_for("and again", lambda: pager.events("hot")[1:] == [("over", "high")])
        pager.close()


def what_leads_nowhere_is_refused_with_its_place(build):
    with Clinic(build, rules=RULES, start=False) as clinic:
        for extra, words in [(aimed("pager.example"), "'pager.example' does not begin"),
                             (aimed("https://a/", "  ca_file: /nowhere.pem\n"), "/nowhere.pem"),
                             (aimed("http://a/", "  token_file: /nowhere\n"), "/nowhere: No such")]:
            clinic.write_config(extra=extra)
            ended = subprocess.run([f"{build}/daemon/lumbard", "--check", "--config",
                                    f"{clinic.folder}/lumbard.yaml"], capture_output=True, text=True)
            assert ended.returncode == 1 and words in ended.stderr, (extra, ended.stderr)
            assert "lumbard.yaml:2" in ended.stderr or "lumbard.yaml:3" in ended.stderr, ended


if __name__ == "__main__":
    run([it_is_told_what_is_high_and_what_nobody_answers,
         a_pager_that_refuses_is_asked_again_and_nothing_waits_for_it,
         by_tls_it_is_told_only_if_it_is_who_it_says,
         what_leads_nowhere_is_refused_with_its_place])
