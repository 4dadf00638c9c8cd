"""lumbarctl rules: what it says of rule files, and its exit codes."""
import pathlib
import re
import subprocess
import sys
import tempfile

from clinic import TOP

RULES = """
rules:
  - name: bent
    metric: lumbar_flexion
    above: 45 deg
    for: 5 s
    priority: medium
    text: "Bent {value}."
"""
TESTS = """
rules: [rules.yaml]
tests:
  - name: bent for 5 s
    series: [{metric: lumbar_flexion, values: "20 50x9"}]
    expect: [{at: AT, alarms: [bent]}]
"""


def lumbarctl(build, *arguments):
    command = [str(pathlib.Path(build) / "daemon/lumbarctl"), "rules", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def expect(case, got, code, words):
    said = got[1] + got[2]
    if got[0] != code or words not in said:
        sys.exit(f"FAILED: {case}: exit {got[0]}, not {code}; said:\n{said}")
    print(f"passed: {case}")


def test_tests(build, folder):
    plugins = ["--plugins", f"{build}/plugins"]
    folder.joinpath("rules.yaml").write_text(RULES)
    for name, at in (("good", "6 s"), ("early", "5 s")):
        folder.joinpath(f"{name}.yaml").write_text(TESTS.replace("AT", at))
    good, early = folder / "good.yaml", folder / "early.yaml"
    expect("as expected", lumbarctl(build, "test", *plugins, good), 0,
           f"{good}: 1 tests of 1 rules, 0 failed\n")
    expect("a difference has its line", lumbarctl(build, "test", *plugins, early), 1,
           f"{early}:6: bent for 5 s: at 5 s: bent does not stand\n")
    expect("one of two files", lumbarctl(build, "test", *plugins, early, good), 1,
           f"{good}: 1 tests of 1 rules, 0 failed\n")
    folder.joinpath("rules.yaml").write_text(RULES.replace("45 deg", "45 Cel"))
    expect("a broken rule has its place", lumbarctl(build, "test", *plugins, good), 1,
           f"{folder}/rules.yaml:5:12: lumbar_flexion is measured in deg")
    folder.joinpath("rules.yaml").unlink()
    expect("no such rules", lumbarctl(build, "test", *plugins, good), 1, "rules.yaml: No such file")
    expect("no file", lumbarctl(build, "test", *plugins), 2, "usage: lumbarctl rules test")
    expect("no such option", lumbarctl(build, "test", "--wrong", good), 2, "usage:")
    expect("no plugins", lumbarctl(build, "test", "--plugins", folder, good), 1, "lumbarctl: ")
    expect("the configuration names the plugins",
           lumbarctl(build, "test", "--config", configuration(build, folder),
                     TOP / "config/rules.d/tests/posture.yaml"), 0, "0 failed")
    expect("help", lumbarctl(build, "test", "--help"), 0, "complete: true")


def configuration(build, folder):
    path = folder / "lumbard.yaml"
    path.write_text(f"plugins: {{folder: {build}/plugins}}\n")
    return path


NUMBERS = re.compile(r"\b(above|below|outside|clear|deadband|for|clear_for|absent|full|at|doubles|from)"
                     r": (\[[^\]]*\]|[^,}\n]*)")
OTHERS = {"broker_dropped": "other", "overheat": "stall", "stall": "sensor", "sensor": "supply", "supply": "other",
          "other": "overheat", "fault": "idle", "off_body": "lying", "heat": "massage"}
PRIORITIES = {"low": "medium", "medium": "high", "high": "low"}


def a_step_off(text):
    """The numbers of a text, each in turn a step more and a step less."""
    for number in re.finditer(r"-?\d+(\.\d+)?", text):
        places = len(number[1] or ".") - 1
        for step in (1, -1):
            other = f"{float(number[0]) + step * 10 ** -places:.{places}f}"
            yield text[:number.start()] + other + text[number.end():]


def changes(line):
    """What may be wrong with a line of a rule: the line as it then is."""
    for key in NUMBERS.finditer(line):
        for other in a_step_off(key[2]):
            yield line[:key.start(2)] + other + line[key.end(2):]
    for words, others in ((r"\bis: (\w+)", OTHERS), (r"^    priority: (\w+)", PRIORITIES)):
        for word in re.finditer(words, line):
            yield line[:word.start(1)] + others[word[1]] + line[word.end(1):]
    if re.match(r" +(armed|reset):", line):
        yield ""
    if re.match(r" +(text|plain|action|title):", line) and not line.lstrip().startswith("title"):
        yield line.replace(': "', ': "So: ')


def test_lines(build, folder, name, lines, tests):
    (folder / name).write_text("".join(lines))
    return lumbarctl(build, "test", "--plugins", f"{build}/plugins", tests)


def every_change_of_a_shipped_rule_fails_its_tests(build, folder):
    """Numbers, labels, arming, priorities and words; where it no longer loads, that fails as well."""
    (folder / "tests").mkdir()
    tried = 0
    for shipped in sorted((TOP / "config/rules.d").glob("*.yaml")):
        tests = folder / "tests" / shipped.name
        tests.write_text((TOP / "config/rules.d/tests" / shipped.name).read_text())
        lines = shipped.read_text().splitlines(keepends=True)
        expect(f"{shipped.name} as it is", test_lines(build, folder, shipped.name, lines, tests), 0,
               " 0 failed")
        for at, line in enumerate(lines):
            if line.lstrip().startswith("#"):
                continue
            for other in changes(line):
                changed = lines[:at] + [other] + lines[at + 1:]
                if test_lines(build, folder, shipped.name, changed, tests)[0] == 0:
                    sys.exit(f"FAILED: {shipped.name}:{at + 1}: the tests pass with\n{other}")
                tried += 1
    if tried < 400:
        sys.exit(f"FAILED: only {tried} changes were found to be tried")
    print(f"passed: {tried} changes of the shipped rules, each fails")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        test_tests(build, pathlib.Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        every_change_of_a_shipped_rule_fails_its_tests(build, pathlib.Path(folder))


main()
