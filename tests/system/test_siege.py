"""Hostile machines at the page's port, before the real hub: who looks at a room notices nothing.
In short; tests/system/long/siege.py has the numbers that the hub has to stand."""
import siege
from clinic import Clinic, run


def who_watches_a_room_notices_nothing_of_a_siege(build):
    with Clinic(build) as clinic:
        for attack, count in [(siege.many_connections, 1000), (siege.slow_heads, 500),
                              (siege.large_heads, 20), (siege.half_frames, 60),
                              (siege.quick_requests, 500)]:
            # Some 40 values of each, so that the latest counts: beside other tests it is later.
            siege.hold(clinic, attack, count, late_ms=500)
        assert clinic.ask("/status")[1]["web"]["refused"] > 500


if __name__ == "__main__":
    run([who_watches_a_room_notices_nothing_of_a_siege])
