#!/bin/bash
# Run inside the booted machine (boot.sh): is the hub what an administrator expects of a service?
set -u
journal() { journalctl -u lumbard --no-pager -o cat "$@"; }

fail()
{
    echo "FAILED: $1"
    systemctl status --no-pager lumbard
    journal -n 40
    exit 1
}

passed() { echo "passed: $1"; }

# WHAT COMMAND...: until it succeeds, 30 s at most
until_true()
{
    local what=$1
    shift
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "not within 30 s: $what"
}

page() { curl -sf --max-time 5 http://127.0.0.1:8080/"$1"; }
hears() { page api/v1/devices | grep -q posture/; }
main_pid() { systemctl show -P MainPID lumbard; }
comes_back() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] && systemctl is-active -q lumbard; }
alarm() { page api/v1/alarms | grep -q posture-lost; }

until_true "the hub is active" systemctl is-active -q lumbard
passed "READY as a service, as user $(stat -c %U "/proc/$(main_pid)")"
[ "$(stat -c %U "/proc/$(main_pid)")" = lumbard ] || fail "it does not run as lumbard"
until_true "the page is served" page ""
passed "the page is served"

printf '%s\n' 'rooms:' '  - name: room-1' '    devices: [posture/p-01, massage/m-01]' >/tmp/rooms
sed -i -e '/^rooms: \[\]/{r /tmp/rooms' -e 'd}' /etc/lumbar/lumbard.yaml
systemctl reload lumbard || fail "the reload"
lumbar-sim --rooms 1 --fault 1:posture:silence@8+3600 >/tmp/sim 2>&1 &
sim=$!
until_true "a device is heard" hears
passed "a device is heard"
until_true "an alarm stands when the wearable falls silent" alarm
passed "an alarm stands"

pid=$(main_pid)
kill -KILL "$pid"
until_true "it comes back after kill -9" comes_back "$pid"
until_true "the alarm still stands" alarm
passed "kill -9: it comes back, and the alarm stands"

pid=$(main_pid)
kill -STOP "$pid"
until_true "the watchdog ends a stopped process" comes_back "$pid"
journal | grep -qi watchdog || fail "the journal does not speak of a watchdog"
until_true "the alarm still stands" alarm
passed "a stopped process is ended by the watchdog, and comes back"

systemctl stop mosquitto
pid=$(main_pid)
sleep 10
comes_back "$pid" && fail "it was restarted while there was no broker"
systemctl is-active -q lumbard || fail "it ended without a broker"
systemctl start mosquitto
passed "a broker that is gone ends nothing"

kill "$sim"
systemctl stop lumbard
[ "$(systemctl show -P Result lumbard)" = success ] || fail "the stop"
[ "$(sqlite3 /var/lib/lumbard/history.db 'PRAGMA integrity_check')" = ok ] || fail "the database"
passed "it stops, and its database is sound"
echo "all passed"
