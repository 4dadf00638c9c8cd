"""The manual holds: mandoc finds nothing, options, commands and bounds are what the program has, and
each example runs.

    test_manual.py BUILD --write    makes the options of lumbard.yaml(5) anew
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

from clinic import TOP, Clinic, Skipped, is_foreign, run, wait_for

PAGES = [TOP / page for page in (
    "daemon/lumbard.8", "daemon/ctl/lumbarctl.1", "tests/sim/lumbar-sim.1", "config/lumbard.yaml.5",
    "config/lumbar-rules.5", "plugins/lumbar-plugin.7")]
OPTIONS = TOP / "config/lumbard.yaml.5"
BEGIN, END = ".\\\" begin of options", ".\\\" end of options"


def page(name):
    return next(p for p in PAGES if p.name == name).read_text()


def said(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=60, **more)


def mandoc_finds_nothing(_):
    if shutil.which("mandoc") is None:
        raise Skipped("there is no mandoc; apt-get install mandoc")
    for source in PAGES:
        found = said("mandoc", "-T", "lint", source).stdout.splitlines()
        # They are not installed where they are looked for.
        found = [line for line in found if "referenced manual not found" not in line
                 and "outdated mandoc.db" not in line]
        assert not found, found


# ---- options, commands, bounds ----

def sentence(words):
    return words[0].upper() + words[1:] + ("" if words.endswith((".", "?")) else ".")


def roff(words):
    """As lines of a page; none may begin like a request."""
    lines = textwrap.wrap(words.replace("\\", "\\e"), 78, break_on_hyphens=False)
    return [("\\&" if line[0] in ".'" else "") + line for line in lines]


def prefix_of(build):
    cache = pathlib.Path(build, "CMakeCache.txt").read_text()
    return re.search("^CMAKE_INSTALL_PREFIX:PATH=(.*)$", cache, re.MULTILINE).group(1)


def options_as_roff(build):
    if prefix_of(build) != "/usr":
        raise Skipped(f"the pages tell of folders in /usr, and the build folder is for {prefix_of(build)}")
    lines = [".Bl -tag -width Ds"]
    said_of = said(f"{build}/daemon/lumbard", "--options").stdout.strip()
    # One page for all architectures.
    said_of = re.sub("/usr/lib/[a-z0-9_]+-linux-gnu/", "/usr/lib/<architecture>/", said_of)
    for option in said_of.split("\n\n"):
        name, about, *rest = [line.strip() for line in option.splitlines()]
        lines += [f".It Cm {name}", *roff(sentence(about))]
        if name != "rooms":
            lines += roff(sentence("; ".join(rest)))
            continue
        lines += [*roff(sentence(rest[0].rstrip(":"))), ".Bl -tag -width devices"]
        for key in rest[1:-1]:
            word, meaning = key.split(None, 1)
            lines += [f".It Cm {word}", *roff(sentence(meaning))]
        lines += [".El", *roff(sentence(rest[-1]))]
    return "\n".join([*lines, ".El"])


def options_are_those_of_the_table(build):
    text = OPTIONS.read_text()
    before, rest = text.split(BEGIN)
    mark, rest = rest.split("\n", 1)
    made = before + BEGIN + mark + "\n" + options_as_roff(build) + "\n" + END + rest.split(END)[1]
    if "--write" in sys.argv:
        OPTIONS.write_text(made)
    assert made == OPTIONS.read_text(), "options have changed: test_manual.py BUILD --write"


def every_command_and_argument_has_its_place(build):
    text = page("lumbarctl.1")
    named = {" ".join(word.split()) for line in re.findall(r"^\.It Ic (.*)$", text, re.MULTILINE)
             for word in re.split(r" (?:Ar|Op)\b", line)[0].split(",")}
    for name in said(f"{build}/daemon/lumbarctl", "--list").stdout.split("\n"):
        inner = said(f"{build}/daemon/lumbarctl", name, "--list") if name else None
        if name and not name.startswith("-"):
            for command in ([f"{name} {word}" for word in inner.stdout.split()]
                            if inner.returncode == 0 else [name]):
                assert command in named, f"lumbarctl.1 says nothing of {command}"
    for program, manual in ((f"{build}/daemon/lumbard", "lumbard.8"),
                            (f"{build}/tests/sim/lumbar-sim", "lumbar-sim.1")):
        helped = said(program, "--help")
        for word in set(re.findall(r"^ +--([a-z-]+)", helped.stdout + helped.stderr, re.MULTILINE)):
            assert f"Fl \\-{word}" in page(manual) or f", \\-{word}" in page(manual), (manual, word)


def every_bound_is_as_the_code_has_it(_):
    code = "\n".join(p.read_text() for p in (TOP / "daemon").rglob("*.h"))
    bounds = re.findall(r'^\.\\" bound: (\w+) (.+)$', page("lumbard.8"), re.MULTILINE)
    assert len(bounds) > 10, bounds
    for name, value in bounds:
        found = re.search(rf"#define {name} +(.*?)(?: +/\*.*)?$", code, re.MULTILINE)
        assert found and found.group(1) == value, (name, value, found and found.group(1))
    for size in re.findall(r"\.path = \"([a-z.]+)\",\n +\.type = OPTION_SIZE",
                           (TOP / "daemon/core/options.c").read_text()):
        assert f".It Cm {size}\n" in page("lumbard.8"), f"MEMORY says nothing of {size}"


# ---- examples ----

def examples():
    """(page, kind, text) of each display."""
    for source in PAGES:
        lines = source.read_text().splitlines()
        for at, line in enumerate(lines):
            if line.startswith(".Bd"):
                kind = re.fullmatch(r'\.\\" example: (\S+)', lines[at - 1])
                assert kind, f"{source.name}:{at + 1}: what kind of example is this?"
                end = lines.index(".Ed", at)
                yield source.name, kind.group(1), "\n".join(lines[at + 1:end]).replace("\\e", "\\")


def of_kind(wanted):
    found = [(name, text) for name, kind, text in examples() if kind == wanted]
    assert found, f"no example of {wanted}"
    return found


def every_kind_of_example_is_run(_):
    assert {kind for _, kind, _ in examples()} == {
        "rules", "rules-changes", "rules-test", "config", "shell", "c", "plugin", "service"}


def check(build, clinic, name):
    ended = said(f"{build}/daemon/lumbard", "--config", clinic.folder / "lumbard.yaml", "--check")
    assert ended.returncode == 0 and ": good" in ended.stdout, (name, ended)


def with_places(text, base):
    """The example with what a test's own configuration says beside it: ports, files."""
    for part in re.split(r"^(?=\w)", base, flags=re.MULTILINE)[1:]:
        head, *lines = part.splitlines()
        if head.split(":")[0] + ":" not in text.splitlines():
            text += "" if re.search(f"^{head.split(':')[0]}:", text, re.M) else "\n" + part
        elif head != "rooms:":
            more = [line for line in lines if line.split(":")[0] + ":" not in text]
            text = text.replace(head, "\n".join([head, *more]))
    return text + "\n"


def rules_and_configurations_are_good(build):
    with Clinic(build, start=False) as clinic:
        for name, text in of_kind("rules"):
            clinic.write_config(rules=text)
            check(build, clinic, name)
        clinic.write_config(rules=of_kind("rules")[0][1])
        for name, text in of_kind("rules-changes"):
            (clinic.folder / "page.yaml").write_text(text)
            check(build, clinic, name)
        (clinic.folder / "page.yaml").unlink()
        base = clinic.write_config(rules="").read_text()
        for name, text in of_kind("config"):
            (clinic.folder / "lumbard.yaml").write_text(with_places(text, base))
            check(build, clinic, name)
        (clinic.folder / "skin.yaml").write_text(of_kind("rules")[0][1])
        for name, text in of_kind("rules-test"):
            (clinic.folder / "test.yaml").write_text(text)
            ended = said(f"{build}/daemon/lumbarctl", "rules", "test", "--plugins",
                         f"{build}/plugins", clinic.folder / "test.yaml")
            assert ended.returncode == 0 and "1 tests" in ended.stdout, (name, ended)


def wrap(clinic, build):
    """Programs by their names, for this clinic: where its files are, and its broker's port."""
    programs, etc = clinic.folder / "bin", f"--config {clinic.folder}/lumbard.yaml"
    programs.mkdir()
    for name, program, more in (
            ("lumbarctl", "daemon/lumbarctl", etc), ("lumbard", "daemon/lumbard", etc),
            ("lumbar-sim", "tests/sim/lumbar-sim", f"--port {clinic.broker_port} --seconds 1")):
        state = f'[ "$1" != config ] || set -- "$@" --state {clinic.folder}/state\n'
        (programs / name).write_text(f'#!/bin/sh\n{state}exec {build}/{program} "$@" {more}\n')
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def commands_do_what_they_say(build):
    with Clinic(build, start=False) as clinic:
        (clinic.folder / "state").mkdir()
        clinic.start_hub(STATE_DIRECTORY=f"{clinic.folder}/state")
        clinic.device("massage", "m-01").send(skin_temperature=[30.0] * 3)
        wait_for("it is heard", lambda: clinic.ask("/devices/massage/m-01")[1].get("messages"))
        environment = wrap(clinic, build)
        for name, text in of_kind("shell"):
            text = text.replace("/etc/lumbar/", f"{clinic.folder}/")
            ended = said("bash", "-e", "-o", "pipefail", "-c", text, cwd=clinic.folder,
                         env=environment)
            assert ended.returncode == 0, (name, text, ended)


def the_smallest_plugin_is_one(build):
    if is_foreign(build):
        raise Skipped("cc makes plugins of this machine, and the hub is of another")
    with Clinic(build, start=False) as clinic:
        for component in ("hub", "dev"):
            said("cmake", "--install", build, "--prefix", f"{clinic.folder}/usr", "--component",
                 component)
        contract = next(pathlib.Path(clinic.folder / "usr").rglob("lumbar-plugin.pc"))
        environment = {**wrap(clinic, build), "PKG_CONFIG_PATH": str(contract.parent)}
        clinic.write_config(plugins=contract.parent.parent / "lumbar/plugins")
        ((_, source),), ((_, commands),) = of_kind("c"), of_kind("plugin")
        (clinic.folder / "thermometer.c").write_text(source)
        ended = said("bash", "-e", "-c", commands.replace("cc ", "cc -Wall -Wextra -Werror "),
                     cwd=clinic.folder, env=environment)
        assert ended.returncode == 0 and "thermometer 1.0.0" in ended.stdout, ended


def what_needs_a_machine_is_asked_in_the_booted_one(_):
    booted = (TOP / "tests/system/long/booted.sh").read_text()
    for name, text in of_kind("service"):
        for line in text.splitlines():
            assert line in booted, f"{name}: '{line}' is not in long/booted.sh"


if __name__ == "__main__":
    run([mandoc_finds_nothing, options_are_those_of_the_table,
         every_command_and_argument_has_its_place, every_bound_is_as_the_code_has_it,
         every_kind_of_example_is_run, rules_and_configurations_are_good, commands_do_what_they_say,
         the_smallest_plugin_is_one, what_needs_a_machine_is_asked_in_the_booted_one])
