"""What was sent is what comes back: of any span, the open minute included, on the day the clocks
are changed, with what is missing told."""
import calendar
import csv
import datetime
import http.client
import json
import signal
import sqlite3
import time
import urllib.parse

from clinic import Clinic, now_ms, run, wait_for

ROOMS = {"room-1": ["posture/p-01"]}


def instant(ms, offset_h=None):
    at = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    if offset_h is None:
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"
    at += datetime.timedelta(hours=offset_h)
    return at.strftime(f"%Y-%m-%dT%H:%M:%S.{ms % 1000:03}{offset_h:+03}:00")


def ms_of(text):
    assert text.endswith("Z"), text
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return calendar.timegm(at.timetuple()) * 1000 + at.microsecond // 1000


def history(clinic, device="posture/p-01", metric="trunk_inclination", **more):
    query = urllib.parse.urlencode({"device": device, "metric": metric, **more})
    return clinic.ask(f"/history?{query}")


def give(clinic, device, at_ms, values, sequence, step_ms=20):
    """A message that the device held since then."""
    device.clock_ms = at_ms + step_ms * (len(values) - 1) - now_ms()
    clinic.mqtt.publish(device.topic, device.message(sequence=sequence, held_from=1,
                                                     step_ms=step_ms, trunk_inclination=values))


def all_taken(clinic, count):
    wait_for("all of it", lambda: clinic.ask("/devices/posture/p-01")[1].get("messages") == count)


def what_came_a_moment_ago_is_there_and_stays_as_it_is(build):
    with Clinic(build, rooms=ROOMS) as clinic:
        device = clinic.device("posture", "p-01")
        began = now_ms()
        device.send(trunk_inclination=[10.0, 20.0, 30.0, 40.0], lumbar_flexion=[5.0] * 4)
        device.send(trunk_inclination=[None, 50.0])
        all_taken(clinic, 2)
        span = {"from": instant(began - 2000), "to": instant(began + 60000)}

        def heard():
            status, answer = history(clinic, **span)
            assert status == 200, answer
            buckets = answer["buckets"]
            total = sum(b["count"] for b in buckets)
            assert total == 5, answer
            mean = sum(b["count"] * b["mean"] for b in buckets) / total
            assert abs(mean - 30) < 0.02, answer
            assert abs(min(b["min"] for b in buckets) - 10) < 0.02, answer
            assert abs(max(b["max"] for b in buckets) - 50) < 0.02, answer
            return answer

        answer = heard()
        assert answer["unit"] == "deg" and answer["step_ms"] == 1000, answer
        assert (answer["from"], answer["to"]) == (span["from"], span["to"]), answer
        for bucket in answer["buckets"]:
            assert ms_of(bucket["at"]) % 1000 == 0, bucket
            assert began - 2000 <= ms_of(bucket["at"]) <= now_ms(), bucket
        flexion = history(clinic, metric="lumbar_flexion", **span)[1]["buckets"]
        assert sum(b["count"] for b in flexion) == 4, flexion
        clinic.stop_hub(signal.SIGKILL)
        clinic.start_hub()
        assert heard()["buckets"] == answer["buckets"]
        clinic.stop_hub()  # sealed, in order
        clinic.start_hub()
        assert heard()["buckets"] == answer["buckets"]


def what_is_missing_is_told(build):
    with Clinic(build, rooms=ROOMS, extra="devices:\n  rate: 5000\n") as clinic:
        device, base = clinic.device("posture", "p-01"), now_ms() // 1000 * 1000 - 600000
        give(clinic, device, base + 599000, [1.0], 601)  # its clock is known by it
        for second in [*range(0, 100), *range(200, 300)]:
            give(clinic, device, base + second * 1000, [second / 4], second + 1)
        all_taken(clinic, 201)
        status, answer = history(clinic, **{"from": instant(base - 100000), "to":
                                            instant(base + 400000)})
        assert status == 200 and answer["step_ms"] == 1000, answer
        at = [(ms_of(b["at"]) - base) // 1000 for b in answer["buckets"]]
        shift = at[0]  # of its clock: what a message takes
        assert shift in (0, 1), at
        assert at == [s + shift for s in [*range(0, 100), *range(200, 300)]], at
        for second, bucket in zip([*range(0, 100), *range(200, 300)], answer["buckets"]):
            assert abs(bucket["mean"] - second / 4) < 0.02 and bucket["count"] == 1, bucket
        gaps = [((ms_of(g["from"]) - base) // 1000, (ms_of(g["to"]) - base) // 1000)
                for g in answer["gaps"]]
        assert gaps == [(-100, shift), (100 + shift, 200 + shift), (300 + shift, 400)], gaps
        assert answer["lost"] == [], answer
        # Of the future nothing is missing yet.
        answer = history(clinic, **{"from": instant(base + 300000 + shift * 1000),
                                    "to": instant(base + 86400000)})[1]
        assert all(ms_of(g["to"]) <= now_ms() for g in answer["gaps"]), answer
        # Fewer points: as many values in wider buckets.
        answer = history(clinic, points=5, **{"from": instant(base - 100000),
                                              "to": instant(base + 400000)})[1]
        assert answer["step_ms"] == 120000 and len(answer["buckets"]) <= 5, answer
        assert sum(b["count"] for b in answer["buckets"]) == 200, answer

        lines = clinic.ctl("history", "posture/p-01", "trunk_inclination", "--from",
                           instant(base - 100000), "--to", instant(base + 400000)).stdout
        assert lines.count("nothing was heard for") == 3, lines
        assert len(lines.splitlines()) == 1 + 200 + 3, lines
        clinic.stop_hub()
        file = sqlite3.connect(f"{clinic.folder}/history.db")
        file.execute("INSERT INTO gap (from_ms, to_ms, messages, why) VALUES (?, ?, 7, 'disk')",
                     (base + 100000, base + 200000))
        file.commit()
        file.close()
        clinic.start_hub()
        answer = history(clinic, **{"from": instant(base), "to": instant(base + 400000)})[1]
        assert answer["lost"] == [{"from": instant(base + 100000), "to": instant(base + 200000),
                                   "messages": 7, "why": "disk"}], answer


def the_hour_that_comes_twice_is_two_hours(build):
    """This machine's clock goes back an hour, 20 minutes ago: summer is two hours ahead of UTC,
    winter is one. A device gives the hour around it, a message a second."""
    change = now_ms() // 60000 * 60000 - 20 * 60000
    summer = time.gmtime(change / 1000 + 7200)
    day = summer.tm_yday
    if calendar.isleap(summer.tm_year) and day > 59:
        day -= 1  # of a J-day
    zone = f"WINTER-1SUMMER-2,J{(day + 180) % 365 + 1}/2,J{day}/" + \
        time.strftime("%H:%M:%S", summer)
    with Clinic(build, rooms=ROOMS, extra="devices:\n  rate: 5000\n", start=False) as clinic:
        clinic.start_hub(TZ=zone)
        device, base = clinic.device("posture", "p-01"), change - 1800000
        give(clinic, device, now_ms() - 1000, [0.0], 3601)
        for second in range(3000):
            give(clinic, device, base + second * 1000, [second % 60], second + 1)
        all_taken(clinic, 3001)

        def ctl(*arguments):
            return clinic.ctl("history", "posture/p-01", "trunk_inclination", *arguments, TZ=zone)

        span = ["--from", instant(base), "--to", instant(base + 3000000), "--points", "3600"]
        ended = ctl(*span, "--csv")
        assert ended.returncode == 0, ended
        rows = list(csv.DictReader(ended.stdout.splitlines()))
        shift = (ms_of(rows[0]["at"]) - base) // 1000
        assert shift in (0, 1) and len(rows) == 3000 - shift, (shift, len(rows))
        for second, row in enumerate(rows):
            assert ms_of(row["at"]) == base + (second + shift) * 1000, row
            assert abs(float(row["mean"]) - second % 60) < 0.02 and row["count"] == "1", row
        # On the machine's clock each line is told apart from the one an hour before.
        lines = [line for line in ctl(*span).stdout.splitlines()[1:] if "nothing" not in line]
        times = [line[:25] for line in lines]
        assert len(set(times)) == len(rows), len(set(times))
        assert {t[-5:] for t in times} == {"+0200", "+0100"}, times[0]
        shown = [datetime.datetime.strptime(t, "%Y-%m-%d %H:%M:%S %z").timestamp() for t in times]
        assert shown == [base / 1000 + s + shift for s in range(len(rows))], shown[:5]

        # With an offset, in UTC and on the clock the same is meant; what the clock showed twice is
        # asked back.
        expected = json.loads(ctl("--from", instant(change - 60000), "--to", instant(change),
                                  "--json").stdout)["buckets"]
        assert len(expected) == 60, len(expected)
        for hours in (2, 1, -5):
            status, answer = history(clinic, **{"from": instant(change - 60000, hours),
                                                "to": instant(change, hours)})
            assert status == 200 and answer["buckets"] == expected, answer
        twice = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime((change - 60000) / 1000 + 7200))
        ended = ctl("--from", twice)
        assert ended.returncode == 2 and "twice" in ended.stderr, ended
        before = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(change / 1000 + 7200 - 4200))
        answer = json.loads(ctl("--from", before, "--json").stdout)
        assert ms_of(answer["from"]) == change - 4200000, answer["from"]


def the_hour_that_never_was_is_no_gap(build):
    """The clock goes forward an hour, 5 minutes ago: winter is an hour ahead of UTC, summer two."""
    change = now_ms() // 60000 * 60000 - 5 * 60000
    winter = time.gmtime(change / 1000 + 3600)
    day = winter.tm_yday
    if calendar.isleap(winter.tm_year) and day > 59:
        day -= 1  # of a J-day
    zone = f"WINTER-1SUMMER-2,J{day}/" + time.strftime("%H:%M:%S", winter) + \
        f",J{(day + 180) % 365 + 1}/2"
    with Clinic(build, rooms=ROOMS, start=False) as clinic:
        clinic.start_hub(TZ=zone)
        device, base = clinic.device("posture", "p-01"), change - 60000
        give(clinic, device, now_ms() - 1000, [0.0], 121)
        for second in range(120):
            give(clinic, device, base + second * 1000, [second % 60], second + 1)
        all_taken(clinic, 121)

        def ctl(*arguments):
            return clinic.ctl("history", "posture/p-01", "trunk_inclination", *arguments, TZ=zone)

        span = ["--from", instant(base + 2000), "--to", instant(base + 118000), "--points", "200"]
        answer = json.loads(ctl(*span, "--json").stdout)
        assert len(answer["buckets"]) == 116 and answer["gaps"] == [], answer["gaps"]
        times = [line[:25] for line in ctl(*span).stdout.splitlines()[1:]]
        shown = [datetime.datetime.strptime(t, "%Y-%m-%d %H:%M:%S %z").timestamp() for t in times]
        assert shown == [base / 1000 + 2 + s for s in range(116)], shown[:5]
        assert {t[-5:] for t in times} == {"+0100", "+0200"}, times[0]
        never = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime((change + 60000) / 1000 + 3600))
        ended = ctl("--from", never)
        assert ended.returncode == 2 and "never" in ended.stderr, ended


def a_question_that_makes_no_sense_gets_a_sentence(build):
    with Clinic(build, rooms=ROOMS) as clinic:
        for query, status, words in [
                ("", 422, "'device'"),
                ("device=posture/p-01", 422, "'metric'"),
                ("device=p-01&metric=trunk_inclination", 422, "'device'"),
                ("device=posture/p-01&metric=inclination", 404, "There is no metric"),
                ("device=scale/s-1&metric=weight", 404, "There is no metric"),
                ("device=posture/p-99&metric=trunk_inclination", 404, "ever heard"),
                ("device=posture/p-01&metric=trunk_inclination&from=yesterday", 422, "'from'"),
                ("device=posture/p-01&metric=trunk_inclination&to=2026-11-25T19:07:00", 422,
                 "'to'"),
                ("device=posture/p-01&metric=trunk_inclination&to=1999-01-01T00:00:00Z"
                 "&from=2000-01-01T00:00:00Z", 422, "before"),
                ("device=posture/p-01&metric=trunk_inclination&points=0", 422, "1..5000"),
                ("device=posture/p-01&metric=trunk_inclination&points=5001", 422, "1..5000")]:
            got, answer = clinic.ask(f"/history?{query}")
            assert got == status and words in answer["detail"], (query, got, answer)
        status, answer = history(clinic)  # a device that is expected, and was never heard
        assert status == 200 and answer["buckets"] == [] and len(answer["gaps"]) == 1, answer
        for arguments, code, words in [
                (["posture/p-01"], 2, "usage:"),
                (["posture/p-01", "trunk_inclination", "--from", "soon"], 2, "no time"),
                (["posture/p-99", "trunk_inclination"], 1, "ever heard"),
                (["posture/p-01", "trunk_inclination", "--csv", "--json"], 2, "usage:")]:
            ended = clinic.ctl("history", *arguments)
            assert ended.returncode == code and words in ended.stderr, (arguments, ended)


def the_hub_stops_while_it_is_asked(build):
    """Questions on their way keep nothing open: the hub ends in order (its exit code says it)."""
    with Clinic(build, rooms=ROOMS) as clinic:
        device = clinic.device("posture", "p-01")
        device.send(trunk_inclination=[10.0] * 50)
        all_taken(clinic, 1)
        doors = []
        for _ in range(20):
            door = http.client.HTTPConnection("127.0.0.1", clinic.web_port, timeout=10)
            door.request("GET", "/api/v1/history?device=posture/p-01&metric=trunk_inclination"
                         "&from=2020-01-01T00:00:00Z&points=5000")
            doors.append(door)
        clinic.stop_hub()
        for door in doors:
            door.close()


if __name__ == "__main__":
    run([what_came_a_moment_ago_is_there_and_stays_as_it_is, what_is_missing_is_told,
         the_hour_that_never_was_is_no_gap,
         the_hour_that_comes_twice_is_two_hours, a_question_that_makes_no_sense_gets_a_sentence,
         the_hub_stops_while_it_is_asked])
