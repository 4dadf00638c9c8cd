"""The page by https://: with the hub's own certificate and with one from files, renewed unnoticed."""
import datetime
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess

from clinic import Clinic, run, wait_for
from test_clock import Clock

DAY_S = 86400


class Https(Clinic):
    """By a certificate of the hub's own, or, with `days`, by one from files that is good so long."""

    def __init__(self, build, days=None, web="", **more):
        super().__init__(build, start=False, **more)
        self.days, self.web_options = days, web
        self.tls = ssl.create_default_context()
        if days is None:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        else:
            openssl(self, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
                    "ca.key -out ca.pem -subj /CN=ca -days 900")
            self.sign(days)
            self.tls.load_verify_locations(self.folder / "ca.pem")

    def sign(self, days):
        """Another key, and a certificate of the same names."""
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost")
        openssl(self, "req -newkey rsa:2048 -nodes -keyout page.key -out page.csr -subj /CN=page")
        openssl(self, "x509 -req -in page.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out "
                f"page.pem -days {days} -extfile names")
        os.chmod(self.folder / "page.key", 0o600)

    def write_config(self, **changes):
        file = super().write_config(**changes)
        files = "" if self.days is None else \
            f"  certificate_file: {self.folder}/page.pem\n  key_file: {self.folder}/page.key\n"
        file.write_text(file.read_text().replace(
            "web:\n", f"web:\n  tls: true\n  own_certificate: {self.folder}/own.pem\n"
            f"{files}{self.web_options}"))
        return file

    def shown(self):
        """The fingerprint of what a browser is shown."""
        with self.connect() as connection:
            digest = hashlib.sha256(connection.getpeercert(True)).hexdigest().upper()
            return ":".join(digest[i:i + 2] for i in range(0, 64, 2))

    def fingerprint(self):
        done = self.ctl("fingerprint")
        assert done.returncode == 0, done
        assert json.loads(self.ctl("fingerprint", "--json").stdout)["fingerprint"] in done.stdout
        return done.stdout.strip()


def openssl(clinic, arguments):
    subprocess.run(["openssl", *arguments.split()], cwd=clinic.folder, check=True,
                   capture_output=True)


def its_own_certificate_is_made_once_and_known_by_its_fingerprint(build):
    with Https(build) as clinic:
        clinic.start_hub()
        first = clinic.fingerprint()
        assert first == clinic.shown() and first in clinic.ctl("status").stdout
        assert clinic.said(first) and clinic.said("listening on https://")
        assert os.stat(clinic.folder / "own.pem").st_mode & 0o777 == 0o600
        text = subprocess.run(["openssl", "x509", "-in", clinic.folder / "own.pem", "-noout",
                               "-text"], capture_output=True, text=True, check=True).stdout
        for words in ("CA:FALSE", "TLS Web Server Authentication", "DNS:localhost",
                      "IP Address:127.0.0.1", f"DNS:{socket.gethostname()}"):
            assert words in text, (words, text)
        # Page, API and live view, all of it by TLS; HSTS with it.
        status, _ = clinic.ask("/health", local=False)
        assert status == 200
        assert clinic.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "default-src 'none'" in clinic.headers["Content-Security-Policy"]
        browser = clinic.browser(room=1)
        browser.until(lambda f: f.HasField("hello"))
        for value in range(50):
            clinic.device("posture", "p-01").send(trunk_inclination=[float(value)] * 20)
        browser.until(lambda f: f.points, "values by TLS")
        clinic.stop_hub()
        clinic.start_hub()
        assert clinic.fingerprint() == first


def nothing_but_good_tls_is_spoken_there(build):
    with Https(build) as clinic:
        clinic.start_hub()
        plain = socket.create_connection(("127.0.0.1", clinic.web_port), 5)
        plain.settimeout(15)
        plain.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{clinic.web_port}\r\n\r\n".encode())
        try:
            said = plain.recv(100)
        except ConnectionResetError:
            said = b""
        assert b"HTTP" not in said, "an answer in the clear"
        for options in ("-tls1", "-tls1_1", "-tls1_2 -cipher AES128-SHA",
                        "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA"):
            done = subprocess.run(["openssl", "s_client", "-connect",
                                   f"127.0.0.1:{clinic.web_port}", *options.split()], input="",
                                  capture_output=True, text=True, timeout=20)
            assert done.returncode != 0, (options, done.stdout)
        for options in ("-tls1_2", "-tls1_3"):
            done = subprocess.run(["openssl", "s_client", "-alpn", "h2,http/1.1", "-connect",
                                   f"127.0.0.1:{clinic.web_port}", options], input="",
                                  capture_output=True, text=True, timeout=20)
            assert done.returncode == 0 and "ALPN protocol: http/1.1" in done.stdout, done
        # A page that came in the clear is none of ours; the socket of lumbarctl has no TLS.
        headers = {"Origin": clinic.web.replace("https", "http")}
        assert clinic.ask("/health", local=False, headers=headers)[0] == 403
        assert clinic.ask("/health", local=False, headers={"Origin": clinic.web})[0] == 200
        assert clinic.ask("/health")[0] == 200 and "Strict-Transport-Security" not in clinic.headers
        assert clinic.hub.poll() is None


def a_new_certificate_is_taken_without_dropping_anyone(build):
    with Https(build, days=90) as clinic:
        clinic.start_hub()
        browser, first = clinic.browser(room=1), clinic.shown()
        browser.until(lambda f: f.HasField("hello"))
        clinic.sign(80)
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("the new one", lambda: clinic.shown() != first)
        assert clinic.shown() == clinic.fingerprint()
        clinic.device("posture", "p-01").send(trunk_inclination=[7.0])
        browser.until(lambda f: f.points, "a value, on the connection of before")
        second = clinic.shown()
        # A key that is not its own, or everybody's to read, changes nothing.
        openssl(clinic, "genrsa -out page.key 2048")
        os.chmod(clinic.folder / "page.key", 0o600)
        clinic.hub.send_signal(signal.SIGHUP)
        line = wait_for("the complaint", lambda: clinic.said("is not that of"))
        assert "nothing changed" in line and "lumbard.yaml:" in line, line
        os.chmod(clinic.folder / "page.key", 0o644)
        clinic.hub.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: clinic.said("everybody on this machine may read it"))
        assert clinic.shown() == second
        browser.until(lambda f: f.HasField("health"))


def its_end_is_warned_of(build):
    with Https(build, days=45) as clinic:
        clock = Clock(clinic)
        clinic.start_hub(**clock.environment)
        browser = clinic.browser()
        health = browser.until(lambda f: f.HasField("health")).health
        assert not health.HasField("certificate_days"), health
        for left, words in [(29, "ends in 29 days"), (6, "ends in 6 days"), (0, "ends in 0 days"),
                            (-1, "has ended")]:
            # Half a day beyond, so that no second counts.
            clock.set(45 * DAY_S - left * DAY_S - DAY_S // 2)
            wait_for("a line", lambda: clinic.said(f"tls: the page's certificate {words}"), 15)
            assert f"The page's certificate {words}" in \
                " ".join(clinic.ask("/health")[1]["complaints"])
            browser.until(lambda f: f.HasField("health") and f.health.certificate_days == left and
                          f.health.HasField("certificate_days"), "the page is told")
        assert f"certificate {words}" in clinic.ctl("status").stdout


def its_own_is_renewed_in_time_and_nobody_is_dropped(build):
    with Https(build) as clinic:
        clock = Clock(clinic)
        clinic.start_hub(**clock.environment)
        browser, first = clinic.browser(), clinic.shown()
        browser.until(lambda f: f.HasField("hello"))
        clock.set(370 * DAY_S)
        wait_for("another one", lambda: clinic.shown() != first, 15)
        browser.until(lambda f: f.HasField("health"), "a frame, on the connection of before")
        until = clinic.ask("/status")[1]["web"]["tls"]["until"]
        end = datetime.datetime.fromisoformat(until.replace("Z", "+00:00"))
        days = (end - datetime.datetime.now(datetime.timezone.utc)).days
        assert 370 + 390 < days < 370 + 400, until
        assert clinic.fingerprint() == clinic.shown() and clinic.said("own certificate is renewed")


def what_is_open_to_all_or_in_the_clear_is_refused_at_load(build):
    with Clinic(build, start=False) as clinic:
        def check(web):
            file = clinic.write_config()
            file.write_text(file.read_text().replace("web:\n", f"web:\n{web}"))
            done = subprocess.run([f"{build}/daemon/lumbard", "--config", file, "--check"],
                                  capture_output=True, text=True, timeout=30)
            lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
            return done.returncode, lines
        own = f"  own_certificate: {clinic.folder}/own.pem\n"
        for web, words in [("  listen: 0.0.0.0\n", "only with web.tls: true"),
                           ("  listen: 192.168.1.5\n", "only with web.tls: true"),
                           ("  listen: '::'\n", "only with web.tls: true"),
                           ("  tls: true\n  key_file: x\n", "needs web.certificate_file"),
                           ("  tls: true\n  certificate_file: x\n", "needs web.key_file"),
                           ("  tls: true\n  certificate_file: /x\n  key_file: /y\n", "/x")]:
            code, lines = check(web)
            assert code == 1 and len(lines) == 1 and words in lines[0], (web, lines)
            assert "lumbard.yaml:" in lines[0], lines
        (clinic.folder / "own.pem").write_text("no key")
        os.chmod(clinic.folder / "own.pem", 0o604)
        code, lines = check("  tls: true\n" + own)
        assert code == 1 and len(lines) == 1 and "everybody" in lines[0], lines
        os.chmod(clinic.folder / "own.pem", 0o600)
        code, lines = check("  tls: true\n" + own)
        assert code == 1 and len(lines) == 1 and "no certificate in" in lines[0], lines
        (clinic.folder / "own.pem").unlink()
        code, lines = check("  listen: 0.0.0.0\n  tls: true\n" + own)
        assert code == 1 and len(lines) == 1 and "accounts" in lines[0], lines  # nobody logs in
        clinic.accounts = True
        assert check("  listen: 0.0.0.0\n  tls: true\n" + own) == (0, [])


def other_names_and_origins_are_taken_by_option(build):
    with Https(build, web="  host: hub.clinic.example, wall.example:8443\n"
               "  origin: https://portal.example, https://other.example:444\n") as clinic:
        clinic.start_hub()
        port, good = clinic.web_port, f"127.0.0.1:{clinic.web_port}"
        for host, origin, wanted in [
                (f"hub.clinic.example:{port}", None, 200), ("hub.clinic.example", None, 200),
                ("wall.example:8443", None, 200), ("wall.example", None, 421),
                ("hub.clinic.example.evil.example", None, 421), ("portal.example", None, 421),
                (good, "https://portal.example", 200), (good, "https://other.example:444", 200),
                (good, "https://other.example", 403), (good, "http://portal.example", 403),
                (good, "https://portal.example.evil.example", 403),
                (f"hub.clinic.example:{port}", f"https://hub.clinic.example:{port}", 200),
                (f"hub.clinic.example:{port}", f"http://hub.clinic.example:{port}", 403)]:
            headers = {"Host": host, **({"Origin": origin} if origin else {})}
            status = clinic.ask("/health", local=False, headers=headers)[0]
            assert status == wanted, (host, origin, status)


if __name__ == "__main__":
    run([its_own_certificate_is_made_once_and_known_by_its_fingerprint,
         nothing_but_good_tls_is_spoken_there, a_new_certificate_is_taken_without_dropping_anyone,
         its_end_is_warned_of, its_own_is_renewed_in_time_and_nobody_is_dropped,
         what_is_open_to_all_or_in_the_clear_is_refused_at_load,
         other_names_and_origins_are_taken_by_option], together=True)
