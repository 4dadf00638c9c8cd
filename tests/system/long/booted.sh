#!/bin/bash
# Run inside the booted machine (boot.sh): is the hub what an administrator expects of a package and
# of a service?
set -u
declare -A limits=([lumbard]=1.5 [mosquitto]=1.5) # of systemd-analyze security
export DEBIAN_FRONTEND=noninteractive
journal() { journalctl -u lumbard --no-pager -o cat "$@"; }

fail()
{
    echo "FAILED: $1"
    systemctl status --no-pager lumbard
    journal -n 40
    cat /tmp/setup # what the README's commands said
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
ask() { curl -sf --max-time 5 --unix-socket /run/lumbard/ctl "http://localhost/api/v1/$1" "${@:2}"; }
post() { ask "$1" -X POST -H 'Content-Type: application/json' -d "${2:-{\}}"; }
hears() { ask devices | grep -q posture/; }
connected() { ask status | grep -q '"connected": *true'; }
main_pid() { systemctl show -P MainPID lumbard; }
comes_back() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] && systemctl is-active -q lumbard; }
alarm() { ask alarms | grep -q posture-lost; }
treated() { ask sessions | grep -q '"state":"running"'; }
first_value() { lumbarctl watch --room room-1 --frames 60 | grep -q skin_temperature; }
told() { journalctl "$@" --no-pager -o cat | grep -q .; }
as_before()
{
    until_true "the alarm still stands" alarm
    until_true "the session still runs" treated
}

install() { apt-get -y -q -o Dpkg::Options::=--force-confold install "$1" >/tmp/apt 2>&1; }

# ---- install ----

# As the README says it, line by line; there are five at most.
sed -n '/^## On a gateway/,/^## The/s/^    \(.*[^ ]\)$/\1/p' /packages/README.md >/tmp/readme
[ "$(wc -l </tmp/readme)" -le 5 ] || fail "the README needs more than five commands"
sed -e 's|\./lumbar_\*\.deb|/packages/before.deb|' -e 's|\./lumbar-demo_\*\.deb|/packages/demo.deb|' \
    -e 's|^apt install|apt-get -y -q install|' /tmp/readme >/tmp/commands
set -m
. /tmp/commands >/tmp/setup 2>&1
until_true "the first live value" first_value
passed "a live value after the README's commands"
# Another process tries them, and the hub writes them where it may.
changes='{"text": "rules: [{name: skin-hot, for: 3 s}]"}'
post rules/try "$changes" | grep -q '"complete":true' || fail "rules cannot be tried"
ask rules/changes -X PUT -H 'Content-Type: application/json' -H 'If-Match: *' -d "$changes" >/tmp/put ||
    fail "rules cannot be changed"
[ "$(stat -c %U /var/lib/lumbard/rules.yaml)" = lumbard ] || fail "the changes are not the hub's"
lumbarctl config rollback >/tmp/rolled || fail "no rollback: $(cat /tmp/rolled)"
[ ! -e /var/lib/lumbard/rules.yaml ] || fail "the changes stayed"
passed "rules are tried, changed and taken back within the fence"
grep -q 'http' /tmp/setup || fail "no link for the first administrator: $(cat /tmp/setup)"
kill %1
until_true "the hub is active" systemctl is-active -q lumbard
passed "installed, and READY as a service, as user $(stat -c %U "/proc/$(main_pid)")"
[ "$(stat -c %U "/proc/$(main_pid)")" = lumbard ] || fail "it does not run as lumbard"
systemctl is-enabled -q lumbard || fail "it would not start with the machine"
until_true "the page is served" page ""
passed "the page is served"

for unit in lumbard mosquitto; do
    score=$(systemd-analyze security --no-pager "$unit" | sed -n 's/.*level for .*: \([0-9.]*\) .*/\1/p')
    awk "BEGIN { exit !(${score:-9} <= ${limits[$unit]:-2.0}) }" || fail "$unit scores $score"
    passed "$unit scores $score in systemd-analyze security"
done

# Who has no account is not let in, on this machine neither, and passwords are nobody else's.
mosquitto_pub -h 127.0.0.1 -t lumbar/v1/posture/p-01/telemetry -m x >/tmp/refused 2>&1 && fail "an anonymous one"
grep -qi 'not authori' /tmp/refused || fail "refused otherwise: $(cat /tmp/refused)"
for file in /etc/lumbar/broker-password /etc/lumbar/broker-admin /etc/lumbar/demo-accounts \
    /var/lib/mosquitto/dynamic-security.json; do
    [ -s $file ] || fail "there is no $file"
    [ "$(stat -c %a $file | tail -c 2)" = 0 ] || fail "everybody may read $file"
done
[ "$(stat -c %G:%a /etc/lumbar/broker-password)" = lumbard:640 ] || fail "the hub's password"
passed "nobody comes to the broker without an account"

# A watchdog of 30 s would be waited for; the rest of the unit is as it is shipped. A secret comes by
# a credential.
mkdir -p /etc/systemd/system/lumbard.service.d /root/secrets
mv /etc/lumbar/broker-password /root/secrets/broker
printf '%s\n' '[Service]' 'WatchdogSec=10s' 'LoadCredential=broker:/root/secrets/broker' \
    >/etc/systemd/system/lumbard.service.d/quick.conf
sed -i 's|^  password_file: .*|  password_file: credential:broker|' /etc/lumbar/lumbard.yaml
systemctl daemon-reload
systemctl restart lumbard || fail "the start with a credential"
systemctl reload lumbard || fail "the reload"
until_true "the broker takes it by a credential" connected
passed "a secret comes by a credential, and a reload is taken"

# ---- a device, an alarm, a session ----

lumbar-sim --rooms 1 --accounts /etc/lumbar/demo-accounts --fault 1:posture:silence@8+3600 >/tmp/sim 2>&1 &
sim=$!
until_true "a device is heard" hears
passed "a device is heard"
until_true "an alarm stands when the wearable falls silent" alarm
until_true "it is in the journal, with its fields" told LUMBAR_RULE=posture-lost LUMBAR_DEVICE=p-01
# As lumbard(8) says it; a journal without a line is no error.
{
    journalctl -u lumbard LUMBAR_DEVICE=p-01
    journalctl -u lumbard LUMBAR_RULE=skin-hot LUMBAR_ROOM=room-1
    systemctl reload lumbard
} >/dev/null || fail "the examples of lumbard(8)"
passed "an alarm stands, and is in the journal with its fields"
number=$(post sessions '{"room":"room-1","therapist":"AB"}' | sed -n 's/.*"id": *\([0-9]*\).*/\1/p')
[ -n "$number" ] && post "sessions/$number/start" >/dev/null || fail "no session"
until_true "a session runs" treated

pid=$(main_pid)
kill -KILL "$pid"
until_true "it comes back after kill -9" comes_back "$pid"
as_before
passed "kill -9: it comes back, with its alarm and its session"

pid=$(main_pid)
kill -STOP "$pid"
until_true "the watchdog ends a stopped process" comes_back "$pid"
journal | grep -qi watchdog || fail "the journal does not speak of a watchdog"
as_before
passed "a stopped process is ended by the watchdog, and comes back as it was"

systemctl stop mosquitto
pid=$(main_pid)
sleep 16 # longer than its watchdog waits
comes_back "$pid" && fail "it was restarted while there was no broker"
systemctl is-active -q lumbard || fail "it ended without a broker"
systemctl start mosquitto
passed "a broker that is gone ends nothing"

# ---- upgrade, downgrade ----

pid=$(main_pid)
install /packages/this.deb || fail "the upgrade: $(cat /tmp/apt)"
until_true "the new one runs" comes_back "$pid"
as_before
grep -q 'name: room-1' /etc/lumbar/lumbard.yaml || fail "the configuration was overwritten"
passed "an upgrade keeps alarm, session and configuration"

pid=$(main_pid)
dpkg -i /packages/before.deb >/tmp/dpkg 2>&1 && fail "a downgrade went through"
grep -q 'is older' /tmp/dpkg || fail "a downgrade is refused without words: $(cat /tmp/dpkg)"
dpkg -s lumbar | grep -q '^Status: install ok installed' || fail "half installed: $(cat /tmp/dpkg)"
[ "$(main_pid)" = "$pid" ] || fail "a refused downgrade restarted the hub"
passed "a downgrade is refused in words, and the hub goes on"
install /packages/after.deb || fail "the next upgrade: $(cat /tmp/apt)"

# ---- remove, purge ----

kill "$sim"
apt-get -y -q remove lumbar >/tmp/apt 2>&1 || fail "the removal: $(cat /tmp/apt)"
[ "$(systemctl show -P ActiveState lumbard)" = inactive ] || fail "it runs, removed"
[ "$(sqlite3 /var/lib/lumbard/history.db 'PRAGMA integrity_check')" = ok ] || fail "the database"
dpkg -i /packages/before.deb >/tmp/dpkg 2>&1 && fail "older than the data that was left"
passed "removed: it stops, its data stay and are sound, and an older one is refused"
apt-get -y -q purge lumbar lumbar-demo >/tmp/apt 2>&1 || fail "the purge: $(cat /tmp/apt)"
rm -rf /etc/systemd/system/lumbard.service.d /root/secrets # the administrator's own
left=$(find / -xdev -iname '*lumbar*' ! -path '/proc/*' ! -path '/sys/*' ! -path '/packages/*' \
    ! -path '/var/log/journal/*' ! -path '/run/log/*' ! -path '/tmp/*')
[ -z "$left" ] || fail "left behind: $left"
getent passwd lumbard && fail "its account is left"
getent group lumbard && fail "its group is left"
until_true "the broker runs without it" systemctl is-active -q mosquitto
[ ! -e /var/lib/mosquitto/dynamic-security.json ] || fail "the broker's accounts are left"
passed "purged: nothing is left"
echo "all passed"
