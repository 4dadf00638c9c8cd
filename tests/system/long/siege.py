"""Hostile machines at the page's port: 10,000 connections, 5,000 slow heads, 1 MB headers, half
frames; in the clear and by TLS; and what testssl.sh says of the latter."""
import json
import pathlib
import resource
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import siege  # noqa: E402
from clinic import Clinic, Skipped, run  # noqa: E402
from test_web_tls import Https, openssl  # noqa: E402

ATTACKS = [(siege.many_connections, 10000), (siege.slow_heads, 5000), (siege.large_heads, 500),
           (siege.half_frames, 1000), (siege.quick_requests, 10000)]
# What is so by the setting, and no weakness of the hub: a CA of this test's own has no such server.
OF_THE_SETTING = "cert_revocation"


def open_many():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12000:
        raise Skipped(f"10,000 sockets need more than {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (12000, hard))


def the_hub_stands_it_in_the_clear(build):
    open_many()
    with Clinic(build) as clinic:
        for attack, count in ATTACKS:
            siege.hold(clinic, attack, count, least_s=20)


def the_hub_stands_it_by_tls(build):
    open_many()
    with Https(build, days=90) as clinic:
        clinic.start_hub()
        for attack, count in ATTACKS:
            siege.hold(clinic, attack, count, least_s=20)


def testssl_finds_nothing_at_medium_or_above(build):
    with Https(build, days=90) as clinic:
        clinic.start_hub()
        report = clinic.folder / "testssl.json"
        subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--jsonfile",
                        report, "--add-CA", clinic.folder / "ca.pem", "--ip", "127.0.0.1",
                        f"localhost:{clinic.web_port}"], stdout=subprocess.DEVNULL, timeout=1800)
        found = json.loads(report.read_text())
        assert len(found) > 80, len(found)
        bad = [entry for entry in found
               if entry["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL") and
               entry["id"] != OF_THE_SETTING]
        assert not bad, bad
        assert clinic.hub.poll() is None


if __name__ == "__main__":
    run([the_hub_stands_it_in_the_clear, the_hub_stands_it_by_tls,
         testssl_finds_nothing_at_medium_or_above])
