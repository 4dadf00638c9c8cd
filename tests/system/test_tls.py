"""The whole hub over TLS: each side with its certificate, and what is said where one is wrong."""
import os
import subprocess

from clinic import Clinic, free_port, run, wait_for

STEPS = (
    "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2",
    "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj /CN=other -days 2",
    "req -newkey rsa:2048 -nodes -keyout hub.key -out hub.csr -subj /CN=lumbard",
    "x509 -req -in hub.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out hub.pem -days 2",
    "req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=broker",
    "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out broker.pem -days 2 "
    "-extfile names",
)


class TlsClinic(Clinic):
    """Devices speak on the plain port; the hub comes by another, which asks for its certificate."""

    def __init__(self, build, **changes):
        super().__init__(build, start=False, **changes)
        self.tls_port = free_port()
        self.certificate = "hub"
        self.trusted = "ca"
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1")
        for step in STEPS:
            subprocess.run(["openssl", *step.split()], cwd=self.folder, check=True,
                           capture_output=True)

    def start_broker(self):
        extra = (f"listener {self.tls_port} 127.0.0.1\ncafile {self.folder}/ca.pem\n"
                 f"certfile {self.folder}/broker.pem\nkeyfile {self.folder}/broker.key\n"
                 "require_certificate true\nuse_identity_as_username true\n")
        for name in os.listdir(self.folder):
            if name.endswith(".key"):  # mosquitto gives up root; what the hub reads is a secret
                os.chmod(self.folder / name, 0o644 if name == "broker.key" else 0o600)
        super().start_broker(extra)

    def write_config(self, **changes):
        file = super().write_config(**changes)
        tls = (f"broker:\n  port: {self.tls_port}\n  tls: true\n"
               f"  ca_file: {self.folder}/{self.trusted}.pem\n"
               f"  certificate_file: {self.folder}/{self.certificate}.pem\n"
               f"  key_file: {self.folder}/{self.certificate}.key\n")
        text = file.read_text().replace(f"broker:\n  port: {self.broker_port}\n", tls)
        assert "tls: true" in text
        file.write_text(text)
        return file


def a_hub_with_its_certificate_hears_and_answers(build):
    with TlsClinic(build) as clinic:
        clinic.start_hub()
        device, browser = clinic.device("posture", "p-01"), clinic.browser(room=1)
        clinic.mqtt.publish(device.topic, device.message(held_from=1, trunk_inclination=[4.0]))
        browser.until(lambda f: f.points, "a value, over TLS")
        wait_for("the acknowledgement, back over TLS",
                 lambda: clinic.received("lumbar/v1/posture/p-01/ack"))
        clinic.stop_broker()
        wait_for("the loss", lambda: clinic.said("broker lost"))
        clinic.start_broker()
        wait_for("it is back", lambda: clinic.ask("/status")[1]["broker"]["connects"] == 2, 30)


def who_is_not_trusted_is_told_and_the_page_goes_on(build):
    for names, words in (({"certificate": "other"}, "no connection with 127.0.0.1"),
                         ({"trusted": "other"}, "certificate verify failed")):
        with TlsClinic(build) as clinic:
            clinic.write_config(**names)
            clinic.start_hub(wait=False)
            wait_for("the complaint", lambda: clinic.said(words))
            clinic.web_port = int(clinic.said("listening on").rsplit(":", 1)[1].strip("/ \n"))
            browser = clinic.browser()
            frame = browser.until(lambda f: f.HasField("health"), "a frame")
            assert not frame.health.broker
            status = clinic.ask("/status")[1]
            assert not status["broker"]["connected"] and words in status["broker"]["last_error"]
            assert "broker is not connected" in clinic.ctl("status").stdout


if __name__ == "__main__":
    run([a_hub_with_its_certificate_hears_and_answers,
         who_is_not_trusted_is_told_and_the_page_goes_on])
