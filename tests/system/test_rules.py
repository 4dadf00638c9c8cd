"""lumbarctl rules: what it says of rule files, and its exit codes."""
import pathlib
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


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        test_tests(build, pathlib.Path(folder))


main()
