"""Configuration from outside: --check, --options, --plugins, and errors one can act on."""
import subprocess

from clinic import Clinic, run

RULE = """
rules:
  - name: warm
    title: Skin warm
    metric: massage/skin_temperature
    above: 43 Cel
    priority: medium
    text: "Skin {value}."
"""


def lumbard(build, clinic, *arguments):
    return subprocess.run([f"{build}/daemon/lumbard", "--config",
                           str(clinic.folder / "lumbard.yaml"), *arguments],
                          capture_output=True, text=True, timeout=30)


def a_good_one_is_said_to_be_good(build):
    with Clinic(build, rules=RULE, start=False) as clinic:
        ended = lumbard(build, clinic, "--check")
        assert ended.returncode == 0, ended
        assert "1 rooms, 2 plugins, 1 rules: good" in ended.stdout, ended.stdout
        assert not clinic.ring.exists(), "a check opened the spool"


def each_error_has_its_place_and_the_nearest_name(build):
    cases = [  # what is changed, and what the one line of complaint must say
        (dict(extra="brokr:\n  port: 1\n"), ["lumbard.yaml:", "brokr", "broker"]),
        (dict(extra="feed:\n  size: 4 MB\n"), ["lumbard.yaml:", "feed.size"]),
        (dict(extra="feed:\n  size: 1 B\n"), ["lumbard.yaml:", "feed.size"]),
        (dict(extra="clinic: again\n"), ["lumbard.yaml:", "clinic"]),
        (dict(extra="feed: [\n"), ["lumbard.yaml:"]),
        (dict(rooms={"a": ["posture/p-01"], "b": ["posture/p-01"]}), ["lumbard.yaml:", "p-01"]),
        (dict(rooms={"a": ["postur/p-01"]}), ["postur"]),
        (dict(rules=RULE.replace("skin_temp", "skim_temp")), ["test.yaml:5:", "skin_temperature"]),
        (dict(rules=RULE.replace("43 Cel", "43 C")), ["test.yaml:6:", "Cel"]),
        (dict(rules=RULE.replace("43 Cel", "99 Cel")), ["test.yaml:6:", "50"]),
        (dict(rules=RULE.replace("above", "abvoe")), ["test.yaml:6:", "above"]),
        (dict(rules=RULE.replace("{value}", "{valeu}")), ["test.yaml:8:", "value"]),
        (dict(rules=RULE.replace("medium", "urgent")), ["test.yaml:7:", "urgent"]),
    ]
    with Clinic(build, rules=RULE, start=False) as clinic:
        keep = dict(extra="", rules=RULE, rooms=dict(clinic.rooms))
        for change, words in cases:
            clinic.write_config(**{**keep, **change})
            ended = lumbard(build, clinic, "--check")
            assert ended.returncode == 1, (change, ended)
            errors = [line for line in ended.stderr.splitlines() if "error" in line]
            assert len(errors) == 1, (change, ended.stderr)
            for word in words:
                assert word in errors[0], (change, errors[0])


def every_metric_is_listed_with_unit_and_range(build):
    with Clinic(build, start=False) as clinic:
        listed = lumbard(build, clinic, "--plugins").stdout
        for words in ["skin_temperature           gauge    Cel      20 .. 50",
                      "trunk_inclination          gauge    deg      -30 .. 120",
                      "upright, slouched"]:
            assert words in listed, listed


def every_option_is_listed(build):
    with Clinic(build, start=False) as clinic:
        listed = lumbard(build, clinic, "--options").stdout
        for option in ["broker.host", "broker.client_id", "web.port", "spool.sync", "feed.size",
                       "devices.max", "rules.folder"]:
            assert option in listed, listed


def wrong_arguments_are_told(build):
    with Clinic(build, start=False) as clinic:
        for arguments in (["--chekc"], ["--check", "--plugins"], ["extra"]):
            ended = lumbard(build, clinic, *arguments)
            assert ended.returncode == 2 and "usage" in ended.stderr, ended
        ended = subprocess.run([f"{build}/daemon/lumbard", "--config", "/nowhere/x.yaml"],
                               capture_output=True, text=True, timeout=10)
        assert ended.returncode == 1 and "/nowhere/x.yaml" in ended.stderr, ended


if __name__ == "__main__":
    run([a_good_one_is_said_to_be_good, each_error_has_its_place_and_the_nearest_name,
         every_metric_is_listed_with_unit_and_range, every_option_is_listed,
         wrong_arguments_are_told])
