#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "ctl.h"

#ifdef LUMBAR_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#endif

static int print_version(int count, char **arguments)
{
    (void)count, (void)arguments;
    puts("lumbarctl " LUMBAR_VERSION);
    return 0;
}

static const struct ctl_command commands[] = {
    {"status", "[--json]", "what the hub does, and what is wrong", ctl_status},
    {"top", "[--every SECONDS]", "rooms and devices in the terminal, live", ctl_top},
    {"watch", "[--room NAME]", "what the page is shown, as lines of JSON", ctl_watch},
    {"fingerprint", "", "of the page's certificate", ctl_fingerprint},
    {"rooms", "[--json]", "the rooms, and what is in them", ctl_rooms},
    {"devices", "[--room NAME] [--json]", "how well each device is heard", ctl_devices},
    {"place", "DEVICE [ROOM]", "the room that a device is in", ctl_place},
    {"identify", "DEVICE [--seconds N]", "a device shows itself", ctl_identify},
    {"device", "add|rotate|revoke|list|init ...", "accounts of devices at the broker", ctl_device},
    {"alarms", "list ...", "what stands, and what is done about it", ctl_alarms},
    {"history", "DEVICE METRIC [--from TIME] [--to TIME] [--csv]", "what a sensor said",
     ctl_history},
    {"session", "list|report|csv|fhir ...", "treatments, and what is told of them afterwards",
     ctl_session},
    {"client", "list|course ...", "who is treated, by pseudonym, and their course", ctl_client},
    {"calibration", "show|neutral|range ...", "of a wearable on whoever wears it", ctl_calibration},
    {"setup", "[--name NAME]", "the first administrator's account", ctl_setup},
    {"users", "list|add|set|disable ...", "who may come in", ctl_users},
    {"tokens", "list|add|revoke ...", "of walls and programs", ctl_tokens},
    {"audit", "list|verify|export ...", "who did and saw what", ctl_audit},
    {"plugins", "list|enable ...", "the kinds of device that are understood", ctl_plugins},
    {"rules", "test|try ...", "rules, as files", ctl_rules},
    {"config", "check|diff|apply|rollback ...", "the configuration, without risk", ctl_config},
    {"diagnose", "[--out FILE]", "a bundle for who helps, without client data", ctl_diagnose},
    {"recording", "ls|export|verify|replay ...", "recordings of rooms, as files", ctl_recording},
    {"backup", "now|ls|verify|restore ...", "copies of history, sessions and alarms, and back",
     ctl_backup},
    {"--version", "", "the version of this program", print_version},
};

int main(int count, char **arguments)
{
    memory_keep_secrets();
    log_set_level(LOG_WARN);
    int code =
        ctl_run("lumbarctl", commands, sizeof(commands) / sizeof(commands[0]), count, arguments);
    /* Not exit(): Paho's threads may still run, and its own clean-up races with them. */
    fflush(NULL);
#ifdef LUMBAR_LEAK_CHECK
    __lsan_do_leak_check();
#endif
    _exit(code);
}
