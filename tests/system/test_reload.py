"""A reload that runs out of memory, at whatever point, changes nothing and says so."""
import os
import re
import resource
import signal

from clinic import Clinic, Skipped, run, wait_for

RULES = 1000
LIMITS = 200  # steps of address space that a reload is tried with
STEP_BYTES = 64 * 1024
SHADOW_BYTES = 1 << 40  # a sanitizer's


def many_rules(count):
    """Rules with so much text that their hello is larger than what the hub has at hand."""
    return "rules:\n" + "".join(
        f"""  - name: bent-{i}
    title: Bent {i}
    metric: posture/trunk_inclination
    above: {20 + i % 60} deg
    priority: medium
    text: "Trunk bent {{value}}."
    action: "{'Ask to sit upright, and look at the lower back. ' * 3}"
""" for i in range(count))


def address_space(process):
    """What the process has mapped, in bytes."""
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def reload_within(clinic, more_bytes):
    """Reloads with so much more address space and no more; returns what the hub says of it."""
    unlimited = resource.RLIM_INFINITY
    clinic.log_from = clinic.log_path.stat().st_size
    clinic.hub.send_signal(signal.SIGSTOP)  # measured and limited while nothing is mapped
    resource.prlimit(clinic.hub.pid, resource.RLIMIT_AS,
                     (address_space(clinic.hub) + more_bytes, unlimited))
    clinic.hub.send_signal(signal.SIGHUP)
    clinic.hub.send_signal(signal.SIGCONT)
    said = wait_for("the end of the reload", lambda: clinic.said("nothing changed")
                    or clinic.said("configuration reloaded"))
    resource.prlimit(clinic.hub.pid, resource.RLIMIT_AS, (unlimited, unlimited))
    return said


def rooms_and_rules(clinic):
    """What a page that comes now is told."""
    browser = clinic.browser()
    hello = browser.until(lambda f: f.HasField("hello"), "a hello").hello
    browser.close()
    return [room.name for room in hello.rooms], sum(not rule.name.endswith(".lost") for rule in hello.rules)


def a_reload_without_memory_changes_nothing_and_says_so(build):
    with Clinic(build, extra="devices:\n  max: 10\n", start=False) as clinic:
        # One arena: those of the other threads hold 64 MiB of address space each in reserve.
        clinic.start_hub(MALLOC_ARENA_MAX="1")
        if "LUMBAR_UNDER" in os.environ or address_space(clinic.hub) > SHADOW_BYTES:
            raise Skipped("an instrumented hub has no address space that could be limited")
        old = rooms_and_rules(clinic)
        clinic.write_config(rules=many_rules(RULES), rooms={"salon": ["posture/p-01"]})
        reasons = {}
        for step in range(LIMITS):
            said = reload_within(clinic, step * STEP_BYTES)
            if "configuration reloaded" in said:
                break
            reason = re.sub(r".*nothing changed: ", "", said)
            reasons[reason] = reasons.get(reason, 0) + 1
            assert rooms_and_rules(clinic) == old, f"{said} after {step} steps"
        assert rooms_and_rules(clinic) == (["salon"], RULES), f"{said} after {step} steps"
        print(f"        refused: {reasons}, then taken with {step * STEP_BYTES // 1024} KiB")
        assert any("page" in reason for reason in reasons), "the frames never lacked memory"
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        device.send(trunk_inclination=[12.0])
        browser.until(lambda f: browser.values(f, "trunk_inclination"), "it still measures")


if __name__ == "__main__":
    run([a_reload_without_memory_changes_nothing_and_says_so])
