#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "core/config.h"
#include "core/options.h"
#include "core/yaml.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CONFIG_FOLDER SOURCE_FOLDER "/config"

static struct config *parsed(const char *text)
{
    struct config *config;
    struct diag diag = {0};
    char sentence[600];
    if (config_parse(&config, "f.yaml", text, strlen(text), &diag) != 0)
        fail_msg("%s", diag_sentence(&diag, sentence, sizeof(sentence)));
    return config;
}

static void nothing_set_is_all_defaults(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "broker:\nweb: {}\nrooms:\n", "rooms: []"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct config *config = parsed(texts[i]);
        assert_string_equal(config->clinic, "Clinic");
        assert_string_equal(config->broker.host, "127.0.0.1");
        assert_int_equal(config->broker.port, 1883);
        assert_string_equal(config->broker.client_id, "lumbard");
        assert_string_equal(config->broker.username, "");
        assert_false(config->broker.tls);
        assert_string_equal(config->web.listen, "127.0.0.1");
        assert_int_equal(config->web.port, 8080);
        assert_int_equal(config->web.clients, 64);
        assert_string_equal(config->spool.ring, "/run/lumbard/spool");
        assert_string_equal(config->spool.copy, "/var/lib/lumbard/spool");
        assert_int_equal(config->spool.size_bytes, 16 * 1024 * 1024);
        assert_int_equal(config->spool.sync_ms, 100);
        assert_int_equal(config->spool.held_ms, 2000);
        assert_int_equal(config->spool.patience_ms, 30000);
        assert_string_equal(config->quarantine.file, "/var/lib/lumbard/quarantine");
        assert_int_equal(config->quarantine.size_bytes, 1024 * 1024);
        assert_string_equal(config->recorder.folder, "/var/lib/lumbard/recordings");
        assert_false(config->recorder.always);
        assert_int_equal(config->recorder.days, 30);
        assert_int_equal(config->recorder.size_bytes, INT64_C(4) << 30);
        assert_string_equal(config->history.file, "/var/lib/lumbard/history.db");
        assert_int_equal(config->history.memory_bytes, 4 * 1024 * 1024);
        assert_int_equal(config->history.seconds_days, 90);
        assert_int_equal(config->history.minutes_days, 0);
        assert_int_equal(config->history.size_bytes, INT64_C(8) << 30);
        assert_int_equal(config->devices.max, 400);
        assert_int_equal(config->devices.rate_per_s, 200);
        assert_int_equal(config->devices.ack_ms, 2000);
        assert_int_equal(config->feed.size_bytes, 3 * 1024 * 1024);
        assert_string_equal(config->rules.folder, "rules.d");
        assert_int_equal(config->room_count, 0);
        config_destroy(config);
    }
    config_destroy(NULL);
}

static void what_is_set_is_taken(void **state)
{
    (void)state;
    struct config *config =
        parsed("clinic: Hügelpraxis\n"
               "broker: {host: broker.local, port: 8883, client_id: hub-2, username: hub,\n"
               "         password_file: /etc/p, tls: true, ca_file: ca.pem,\n"
               "         certificate_file: hub.pem, key_file: hub.key}\n"
               "web: {listen: '::', port: 0, host: clinic.example, clients: 3, tls: true}\n"
               "spool: {ring: r, copy: c, size: 64 KiB, sync: 0.5 s, held: 3 s, patience: 1 min}\n"
               "quarantine: {file: q, size: 128 KiB}\n"
               "recorder: {folder: f, always: true, days: 3, size: 5 GiB}\n"
               "history: {file: h, memory: 1 MiB, seconds_days: 3, minutes_days: 4, size: 9 MiB,\n"
               "          sessions_days: 5, alarms_days: 6, audit_days: 7}\n"
               "storage: {size: 7 MiB}\n"
               "backup: {folder: b, every: 2 h, keep: 5, size: 2 MiB}\n"
               "plugins: {folder: p}\n"
               "devices: {max: 7, rate: 9, ack: 500 ms}\n"
               "feed: {size: 1 MiB}\n"
               "rules: {folder: ''}\n"
               "rooms:\n"
               "  - name: r.1\n"
               "    devices: [posture/p-01, massage/m_01]\n"
               "  - {title: 'Room two', name: two}\n"
               "  - {name: three, devices: }\n");
    assert_string_equal(config->clinic, "Hügelpraxis");
    assert_string_equal(config->broker.host, "broker.local");
    assert_int_equal(config->broker.port, 8883);
    assert_string_equal(config->broker.client_id, "hub-2");
    assert_string_equal(config->broker.username, "hub");
    assert_string_equal(config->broker.password_file, "/etc/p");
    assert_true(config->broker.tls);
    assert_string_equal(config->broker.ca_file, "ca.pem");
    assert_string_equal(config->broker.certificate_file, "hub.pem");
    assert_string_equal(config->broker.key_file, "hub.key");
    assert_string_equal(config->web.listen, "::");
    assert_true(config->web.tls);
    assert_int_equal(config->web.port, 0);
    assert_string_equal(config->web.host, "clinic.example");
    assert_int_equal(config->web.clients, 3);
    assert_string_equal(config->spool.ring, "r");
    assert_string_equal(config->spool.copy, "c");
    assert_int_equal(config->spool.size_bytes, 65536);
    assert_int_equal(config->spool.sync_ms, 500);
    assert_int_equal(config->spool.held_ms, 3000);
    assert_int_equal(config->spool.patience_ms, 60000);
    assert_string_equal(config->quarantine.file, "q");
    assert_int_equal(config->quarantine.size_bytes, 131072);
    assert_string_equal(config->plugins.folder, "p");
    assert_string_equal(config->recorder.folder, "f");
    assert_true(config->recorder.always);
    assert_int_equal(config->recorder.days, 3);
    assert_int_equal(config->recorder.size_bytes, INT64_C(5) << 30);
    assert_string_equal(config->history.file, "h");
    assert_int_equal(config->history.memory_bytes, 1024 * 1024);
    assert_int_equal(config->history.seconds_days, 3);
    assert_int_equal(config->history.minutes_days, 4);
    assert_int_equal(config->history.size_bytes, 9 * 1024 * 1024);
    assert_int_equal(config->history.sessions_days, 5);
    assert_int_equal(config->history.alarms_days, 6);
    assert_int_equal(config->history.audit_days, 7);
    assert_int_equal(config->storage.size_bytes, 7 * 1024 * 1024);
    assert_string_equal(config->backup.folder, "b");
    assert_int_equal(config->backup.every_ms, 7200000);
    assert_int_equal(config->backup.keep, 5);
    assert_int_equal(config->backup.size_bytes, 2 * 1024 * 1024);
    assert_int_equal(config->devices.max, 7);
    assert_int_equal(config->devices.rate_per_s, 9);
    assert_int_equal(config->devices.ack_ms, 500);
    assert_int_equal(config->feed.size_bytes, 1048576);
    assert_string_equal(config->rules.folder, "");
    assert_int_equal(config->room_count, 3);
    assert_string_equal(config->rooms[0].name, "r.1");
    assert_string_equal(config->rooms[0].title, "r.1");
    assert_int_equal(config->rooms[0].device_count, 2);
    assert_string_equal(config->rooms[0].devices[1], "massage/m_01");
    assert_int_equal(config->rooms[0].line, 18);
    assert_int_equal(config->rooms[0].column, 5);
    assert_string_equal(config->rooms[1].title, "Room two");
    assert_int_equal(config->rooms[2].device_count, 0);
    config_destroy(config);
}

static void a_mistake_is_said_with_its_place_and_a_proposal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *sentence;
    } cases[] = {
        /* names */
        {"brocker: {}", ERR_UNKNOWN,
         "f.yaml:1:1: 'brocker' is not known here; did you mean 'broker'?"},
        {"broker:\n  prot: 1", ERR_UNKNOWN,
         "f.yaml:2:3: 'prot' is not known here; did you mean 'port'?"},
        {"port: 1", ERR_UNKNOWN, "f.yaml:1:1: 'port' is not known here"},
        {"room: []", ERR_UNKNOWN, "did you mean 'rooms'?"},
        {"broker.port: 1", ERR_UNKNOWN, "f.yaml:1:1: 'broker.port' is not known here"},
        {"web: {port: 1, port: 2}", ERR_CONFLICT, "f.yaml:1:16: 'port' is set twice"},
        /* shapes */
        {"- a", ERR_SYNTAX, "f.yaml:1:1: expected a map"},
        {"words", ERR_SYNTAX, "f.yaml:1:1: expected a map"},
        {"broker: 7", ERR_SYNTAX, "f.yaml:1:9: expected a map"},
        {"broker: [a]", ERR_SYNTAX, "f.yaml:1:9: expected a map"},
        {"clinic: {a: 1}", ERR_SYNTAX, "f.yaml:1:9: clinic has one value, not a map"},
        {"web: {port: [1]}", ERR_SYNTAX, "f.yaml:1:13: web.port has one value, not a list"},
        /* values */
        {"clinic: ''", ERR_RANGE, "f.yaml:1:9: clinic is text of 1..100 bytes"},
        {"clinic: |\n  a\n  b\n", ERR_RANGE, "f.yaml:1:9: clinic is text"},
        {"broker:\n  port: 0", ERR_RANGE,
         "f.yaml:2:9: broker.port is a whole number, 1..65535, not '0'"},
        {"broker: {port: 65536}", ERR_RANGE, "f.yaml:1:16: broker.port"},
        {"broker: {port: 18x3}", ERR_SYNTAX, "broker.port is a whole number, 1..65535, not '18x3'"},
        {"broker: {port: 1883.5}", ERR_SYNTAX, "broker.port"},
        {"broker: {port: }", ERR_SYNTAX, "broker.port"},
        {"broker: {port: 99999999999999999999}", ERR_SYNTAX, "broker.port"},
        {"broker: {host: ''}", ERR_RANGE, "broker.host"},
        {"broker: {client_id: a/b}", ERR_SYNTAX, "broker.client_id is 1..63 of"},
        {"broker: {tls: yes}", ERR_SYNTAX, "broker.tls is true or false, not 'yes'"},
        {"web: {listen: 0.0.0.0}", ERR_CONFLICT,
         "f.yaml:1:15: web.listen may be another address than loopback only with web.tls: true"},
        {"web: {listen: 192.168.1.5}", ERR_CONFLICT, "web.listen"},
        {"web: {listen: '::'}", ERR_CONFLICT, "web.listen"},
        {"accounts: false\nweb: {listen: 0.0.0.0, tls: true}", ERR_CONFLICT,
         "f.yaml:2:15: web.listen must be on loopback with accounts: false"},
        {"accounts: off", ERR_SYNTAX, "accounts is true or false, not 'off'"},
        {"web: {certificate_file: x, key_file: y}", ERR_CONFLICT, "of no use without web.tls"},
        {"web: {tls: true, certificate_file: x}", ERR_CONFLICT, "needs web.key_file"},
        {"web: {tls: true, key_file: x}", ERR_CONFLICT, "needs web.certificate_file"},
        {"web: {listen: localhost}", ERR_RANGE, "web.listen is a numeric address, not 'localhost'"},
        {"web: {listen: 127.0.0.1.5}", ERR_RANGE, "web.listen"},
        {"web: {clients: 0}", ERR_RANGE, "web.clients"},
        {"spool: {size: 16}", ERR_SYNTAX,
         "spool.size is a size, 64 KiB..1 GiB in steps of 4 KiB, not '16'"},
        {"spool: {size: 60 KiB}", ERR_RANGE, "spool.size"},
        {"spool: {size: 65 KiB}", ERR_RANGE, "spool.size"},
        {"spool: {size: 2 GiB}", ERR_RANGE, "spool.size"},
        {"spool: {sync: 5 ms}", ERR_RANGE, "spool.sync is a time, 10 ms..10 s, not '5 ms'"},
        {"spool: {sync: 100}", ERR_SYNTAX, "spool.sync"},
        {"devices: {max: -1}", ERR_RANGE, "devices.max"},
        {"devices: {ack: 2 h}", ERR_RANGE, "devices.ack"},
        /* what belongs together */
        {"broker: {tls: true}", ERR_CONFLICT, "f.yaml:1:15: broker.tls needs broker.ca_file"},
        {"broker: {ca_file: x}", ERR_CONFLICT, "f.yaml:1:19: broker.ca_file is of no use without"},
        {"broker: {certificate_file: x}", ERR_CONFLICT,
         "f.yaml:1:28: broker.certificate_file is of no use"},
        {"broker: {tls: true, ca_file: x, certificate_file: y}", ERR_CONFLICT,
         "needs broker.key_file"},
        {"broker: {tls: true, ca_file: x, key_file: y}", ERR_CONFLICT,
         "needs broker.certificate_file"},
        {"broker: {password_file: x}", ERR_CONFLICT, "f.yaml:1:25: broker.password_file needs"},
        {"spool: {ring: /a, copy: /a}", ERR_CONFLICT,
         "f.yaml:1:25: spool.copy must be another file"},
        {"spool: {sync: 2 s, patience: 2 s}", ERR_CONFLICT,
         "f.yaml:1:30: spool.patience must be longer"},
        /* rooms */
        {"rooms: {a: 1}", ERR_SYNTAX, "f.yaml:1:8: rooms are a list"},
        {"rooms: [a]", ERR_SYNTAX, "f.yaml:1:9: a room is a map"},
        {"rooms: [{title: A}]", ERR_SYNTAX, "f.yaml:1:9: a room has a name"},
        {"rooms: [{name: a, titel: A}]", ERR_UNKNOWN,
         "f.yaml:1:19: 'titel' is not known here; did you mean 'title'?"},
        {"rooms: [{name: 'a b'}]", ERR_SYNTAX, "f.yaml:1:16: a room's name is 1..63 of"},
        {"rooms: [{name: a/b}]", ERR_SYNTAX, "a room's name"},
        {"rooms: [{name: [a]}]", ERR_SYNTAX, "a room's name"},
        {"rooms: [{name: unassigned}]", ERR_CONFLICT,
         "'unassigned' stands for devices without a room"},
        {"rooms:\n - name: a\n - name: b\n - name: a\n", ERR_CONFLICT,
         "f.yaml:4:10: a second room 'a'; the first is in line 2"},
        {"rooms: [{name: a, title: }]", ERR_SYNTAX, "a room's title"},
        {"rooms: [{name: a, auto: yes}]", ERR_SYNTAX,
         "f.yaml:1:25: a room's auto is true or false, not 'yes'"},
        {"rooms: [{name: a, auto: []}]", ERR_SYNTAX, "a room's auto"},
        {"rooms: [{name: a, auto: true, plan: a b}]", ERR_SYNTAX,
         "f.yaml:1:37: a plan's name is 1..63 of"},
        {"rooms: [{name: a, plan: b}]", ERR_CONFLICT,
         "f.yaml:1:25: a room's plan is of no use without auto: true"},
        {"sessions: {idle: 0 s}", ERR_RANGE, "sessions.idle is a time, 1 s..24 h, not '0 s'"},
        {"calibration: {range: 0}", ERR_RANGE, "calibration.range"},
        {"rooms: [{name: a, devices: posture/p}]", ERR_SYNTAX, "f.yaml:1:28: devices are a list"},
        {"rooms: [{name: a, devices: [p-01]}]", ERR_SYNTAX,
         "f.yaml:1:29: a device is written kind/name"},
        {"rooms: [{name: a, devices: [Posture/p]}]", ERR_SYNTAX, "a device is written"},
        {"rooms: [{name: a, devices: [posture/]}]", ERR_SYNTAX, "a device is written"},
        {"rooms: [{name: a, devices: [posture/p/q]}]", ERR_SYNTAX, "a device is written"},
        {"rooms: [{name: a, devices: [posture/+]}]", ERR_SYNTAX, "a device is written"},
        {"rooms:\n - {name: a, devices: [posture/p]}\n - {name: b, devices: [posture/p]}\n",
         ERR_CONFLICT, "f.yaml:3:24: posture/p is already in room 'a' (line 2)"},
        {"rooms: [{name: a, devices: [posture/p, posture/p]}]", ERR_CONFLICT,
         "f.yaml:1:40: posture/p is already in room 'a'"},
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *config;
        struct diag diag = {0};
        char sentence[600];
        int code = config_parse(&config, "f.yaml", cases[i].text, strlen(cases[i].text), &diag);
        diag_sentence(&diag, sentence, sizeof(sentence));
        if (code != cases[i].code || strncmp(sentence, "f.yaml:", 7) != 0 ||
            strstr(sentence, cases[i].sentence) == NULL) {
            print_error("%s\ngave %d %s\n", cases[i].text, code, sentence);
            wrong++;
        }
        assert_null(config);
    }
    assert_int_equal(wrong, 0);
}

static void rooms_and_their_devices_have_a_limit(void **state)
{
    (void)state;
    static const struct {
        int rooms, devices, code;
    } cases[] = {
        {CONFIG_ROOMS_MAX, 0, 0},
        {CONFIG_ROOMS_MAX + 1, 0, ERR_LIMIT},
        {2, CONFIG_ROOM_DEVICES_MAX, 0},
        {2, CONFIG_ROOM_DEVICES_MAX + 1, ERR_LIMIT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static char buffer[65536];
        struct text text = text_in(buffer, sizeof(buffer));
        text_add(&text, "rooms:\n");
        for (int r = 0; r < cases[i].rooms; r++) {
            text_add(&text, " - name: r%d\n   devices: [", r);
            for (int d = 0; d < cases[i].devices; d++)
                text_add(&text, "%sposture/p-%d-%d", d > 0 ? ", " : "", r, d);
            text_add(&text, "]\n");
        }
        struct config *config;
        struct diag diag = {0};
        assert_int_equal(config_parse(&config, "f", buffer, text.length, &diag), cases[i].code);
        config_destroy(config);
    }
}

/* What an editor leaves behind that found the disk full, or that lost power, is no wish for a
 * clinic without rooms. */
static void an_empty_file_is_no_configuration(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# words\n", "---\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct config *config;
        struct diag diag = {0};
        char sentence[600];
        assert_int_equal(config_parse(&config, "f.yaml", texts[i], strlen(texts[i]), &diag),
                         ERR_SYNTAX);
        assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)),
                            "f.yaml: nothing is in it: {} is a configuration that leaves all as it "
                            "is by default");
    }
}

/* Two configurations that differ in one option each: only those that a reload may change pass. */
static void a_reload_takes_what_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *fresh, *restart; /* the option it names; NULL: taken */
    } cases[] = {
        {"{}", NULL},
        {"clinic: Other", NULL},
        {"rules: {folder: other}", NULL},
        {"devices: {ack: 3 s}", NULL},
        {"web: {host: other}", NULL},
        {"rooms: [{name: a, devices: [posture/p]}]", NULL},
        {"broker: {port: 1883}", NULL}, /* set, but to what it was */
        {"broker: {host: other}", "broker.host"},
        {"broker: {port: 1884}", "broker.port"},
        {"broker: {client_id: other}", "broker.client_id"},
        {"broker: {username: other}", "broker.username"},
        {"broker: {tls: true, ca_file: x}", "broker.tls"},
        {"web: {listen: 127.0.0.2}", "web.listen"},
        {"web: {port: 8081}", "web.port"},
        {"web: {clients: 65}", "web.clients"},
        {"web: {tls: true}", "web.tls"},
        {"web: {tls: true, certificate_file: x, key_file: y}", "web.tls"},
        {"web: {own_certificate: other}", "web.own_certificate"},
        {"spool: {ring: other}", "spool.ring"},
        {"spool: {size: 8 MiB}", "spool.size"},
        {"spool: {sync: 200 ms}", "spool.sync"},
        {"quarantine: {file: other}", "quarantine.file"},
        {"plugins: {folder: other}", "plugins.folder"},
        {"devices: {max: 401}", "devices.max"},
        {"devices: {rate: 201}", "devices.rate"},
        {"feed: {size: 8 MiB}", "feed.size"},
    };
    struct config *old = parsed("{}");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *fresh = parsed(cases[i].fresh);
        struct diag diag = {0};
        int code = config_check_reload(old, fresh, &diag);
        if ((code == 0) != (cases[i].restart == NULL) ||
            (code != 0 && strncmp(diag.text, cases[i].restart, strlen(cases[i].restart)) != 0))
            fail_msg("%s: %d %s", cases[i].fresh, code, diag.text);
        config_destroy(fresh);
    }
    config_destroy(old);
}

static void a_complaint_of_an_option_says_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text, *option, *sentence;
    } cases[] = {
        {"clinic: A\nbroker:\n  port: 1884\n", "broker.port", "f.yaml:3:9: no 7"},
        {"clinic: A\n", "clinic", "f.yaml:1:9: no 7"},
        {"web:\n  port: 1\n", "web", "f.yaml:2:3: no 7"},
        {"clinic: A\n", "broker.port", "f.yaml: no 7"}, /* its default */
        {"broker:\n", "broker.port", "f.yaml: no 7"},
        {"{}", "broker.port", "f.yaml: no 7"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *config = parsed(cases[i].text);
        struct diag diag = {0};
        char sentence[600];
        assert_int_equal(config_complain(config, cases[i].option, &diag, ERR_CONFLICT, "no %d", 7),
                         ERR_CONFLICT);
        assert_string_equal(diag_sentence(&diag, sentence, sizeof(sentence)), cases[i].sentence);
        config_destroy(config);
    }
}

/* A reload that is refused names the option's place in the fresh file. */
static void what_needs_a_restart_is_said_with_its_place(void **state)
{
    (void)state;
    struct config *old = parsed("web:\n  port: 1\n"), *fresh = parsed("web:\n  port: 2\n");
    struct diag diag = {0};
    assert_int_equal(config_check_reload(old, fresh, &diag), ERR_CONFLICT);
    assert_string_equal(diag.file, "f.yaml");
    assert_int_equal(diag.line, 2);
    assert_int_equal(diag.column, 9);
    config_destroy(old);
    config_destroy(fresh);
}

static void the_table_holds_what_it_promises(void **state)
{
    (void)state;
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &options[i];
        struct config config = {0};
        struct diag diag = {0};
        char expected[120];
        if (option_set(option, option->fallback, &config, &diag) != 0)
            fail_msg("default of %s: %s", option->path, diag.text);
        assert_true(strlen(option->help) > 10);
        assert_true(strlen(option_describe(option, expected, sizeof(expected))) <
                    sizeof(expected) - 1);
        assert_ptr_equal(option_find(option->path), option);
        for (size_t j = 0; j < i; j++) /* no two at one place */
            assert_int_not_equal(options[j].offset, option->offset);
    }
    assert_null(option_find("broker"));
    assert_null(option_find(""));
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    static char text[65536];
    size_t bytes = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[bytes] = '\0';
    return text;
}

/* Takes the '#' off lines like "  #key: value", as an administrator would. */
static void uncomment(char *text)
{
    char *out = text;
    for (char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
        size_t indent = strspn(line, " ");
        size_t key = strspn(line + indent + 1, "abcdefghijklmnopqrstuvwxyz_");
        bool commented = line[indent] == '#' && key > 0 && line[indent + 1 + key] == ':';
        for (size_t i = 0; i < length; i++)
            if (!commented || i != indent)
                *out++ = line[i];
        line += length;
    }
    *out = '\0';
}

static const struct yaml_node *find_node(const struct yaml_node *root, const char *path)
{
    char section[64];
    const char *dot = strchr(path, '.');
    if (dot == NULL)
        return yaml_get(root, path);
    snprintf(section, sizeof(section), "%.*s", (int)(dot - path), path);
    return yaml_get(yaml_get(root, section), dot + 1);
}

static void the_shipped_example_shows_every_option_with_its_default(void **state)
{
    (void)state;
    char *text = read_whole(CONFIG_FOLDER "/lumbard.yaml");
    struct config *as_shipped = parsed(text), *defaults = parsed("{}");
    uncomment(text);
    struct config *uncommented = parsed(text);
    struct yaml *yaml;
    struct diag diag = {0};
    assert_int_equal(yaml_parse(&yaml, "lumbard.yaml", text, strlen(text), &diag), 0);
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &options[i];
        if (find_node(yaml_root(yaml), option->path) == NULL)
            fail_msg("%s is not in the example", option->path);
        if (!option_equal(option, as_shipped, defaults))
            fail_msg("%s is not its default in the example", option->path);
        bool moves = strcmp(option->path, "plugins.folder") == 0; /* with the installation */
        if (!moves && !option_equal(option, uncommented, defaults))
            fail_msg("%s has not its default in the example's comment", option->path);
    }
    assert_int_equal(as_shipped->room_count, 0);
    yaml_destroy(yaml);
    config_destroy(as_shipped);
    config_destroy(uncommented);
    config_destroy(defaults);
}

static void the_reference_names_every_option(void **state)
{
    (void)state;
    static char text[65536];
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    config_print_options(out);
    fclose(out);
    for (size_t i = 0; i < option_count; i++) {
        char heading[80];
        snprintf(heading, sizeof(heading), "%s\n    %.20s", options[i].path, options[i].help);
        if (strstr(text, heading) == NULL)
            fail_msg("%s is not in the reference", options[i].path);
    }
    assert_non_null(strstr(text, "\nrooms\n"));
    assert_non_null(strstr(text, "a size, 64 KiB..1 GiB in steps of 4 KiB; default: 16 MiB\n"));
    assert_non_null(strstr(text, "a time, 100 ms..1 min; default: 2 s; a reload may change it\n"));
    assert_non_null(strstr(text, "a whole number, 1..1000 sockets; default: 64\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_is_all_defaults),
        cmocka_unit_test(an_empty_file_is_no_configuration),
        cmocka_unit_test(what_is_set_is_taken),
        cmocka_unit_test(a_mistake_is_said_with_its_place_and_a_proposal),
        cmocka_unit_test(rooms_and_their_devices_have_a_limit),
        cmocka_unit_test(a_reload_takes_what_the_table_says),
        cmocka_unit_test(a_complaint_of_an_option_says_where_it_stands),
        cmocka_unit_test(what_needs_a_restart_is_said_with_its_place),
        cmocka_unit_test(the_table_holds_what_it_promises),
        cmocka_unit_test(the_shipped_example_shows_every_option_with_its_default),
        cmocka_unit_test(the_reference_names_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
