#!/usr/bin/python3
"""The bound on all that is kept: beyond it seconds go, then recordings, the oldest first; a backup
never. It is said, and live goes on."""
from clinic import Clinic, run, wait_for


def beyond_the_bound_recordings_go_and_the_backup_stays(build):
    with Clinic(build, rooms={"room-1": ["posture/p-01"]}, start=False,
                extra="storage:\n  size: 4 MiB\n") as clinic:
        clinic.recordings.mkdir()
        old = [clinic.recordings / f"room-1_2020010{day}T000000.000Z.rec" for day in (1, 2, 3)]
        for tape in old:
            with open(tape, "wb") as file:
                file.truncate(1 << 20)
        (clinic.folder / "backups").mkdir()
        backup = clinic.folder / "backups/lumbar-20260101T000000Z.backup"
        with open(backup, "wb") as file:
            file.truncate(1 << 20)
        clinic.start_hub()
        clinic.device("posture", "p-01").send(trunk_inclination=[7.0])
        wait_for("what is too much goes", lambda: not old[0].exists(), 40)
        assert clinic.said("more than storage.size: the oldest seconds go, and then recordings")
        wait_for("it is said to be over", lambda: clinic.said("again within storage.size"), 40)
        assert old[2].exists() and backup.exists()
        assert clinic.said("recordings are more than recorder.size"), clinic.log_path.read_text()
        status = clinic.ask("/status")[1]
        assert 0 < status["history"]["bytes"] < 1 << 20, status["history"]
        clinic.browser(room=1).until(lambda f: f.points, "live")


if __name__ == "__main__":
    run([beyond_the_bound_recordings_go_and_the_backup_stays])
