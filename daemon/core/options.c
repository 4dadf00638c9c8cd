#include "core/options.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "core/config.h"

#define KIB 1024
#define MIB (1024 * 1024)
#define GIB INT64_C(1073741824)

#define PATH_MAX_BYTES 1000

#ifndef LUMBAR_PLUGIN_FOLDER
#define LUMBAR_PLUGIN_FOLDER "/usr/lib/lumbar/plugins"
#endif

#define AT(field) offsetof(struct config, field)

const struct option options[] = {
    {.path = "clinic",
     .type = OPTION_STRING,
     .offset = AT(clinic),
     .min = 1,
     .max = 100,
     .fallback = "Clinic",
     .reloadable = true,
     .help = "name of the clinic, on top of the page"},
    {.path = "accounts",
     .type = OPTION_BOOLEAN,
     .offset = AT(accounts),
     .fallback = "true",
     .help = "people log in; false: whoever reaches the page may do everything, on loopback only"},

    {.path = "broker.host",
     .type = OPTION_STRING,
     .offset = AT(broker.host),
     .min = 1,
     .max = 253,
     .fallback = "127.0.0.1",
     .help = "address of the MQTT broker, or a name in /etc/hosts"},
    {.path = "broker.port",
     .type = OPTION_PORT,
     .offset = AT(broker.port),
     .min = 1,
     .fallback = "1883",
     .help = "its port; 8883 is usual with TLS"},
    {.path = "broker.client_id",
     .type = OPTION_LABEL,
     .offset = AT(broker.client_id),
     .fallback = "lumbard",
     .help = "who we are to the broker; fixed, so that it keeps our session"},
    {.path = "broker.username",
     .type = OPTION_STRING,
     .offset = AT(broker.username),
     .max = 100,
     .fallback = "",
     .help = "user at the broker; empty: none"},
    {.path = "broker.password_file",
     .type = OPTION_STRING,
     .offset = AT(broker.password_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .help = "file whose first line is the password, or credential:NAME of systemd's; empty: none"},
    {.path = "broker.tls",
     .type = OPTION_BOOLEAN,
     .offset = AT(broker.tls),
     .fallback = "false",
     .help = "speak TLS to the broker, and verify it"},
    {.path = "broker.ca_file",
     .type = OPTION_STRING,
     .offset = AT(broker.ca_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .help = "certificates (PEM) that the broker's must be signed by; needed with TLS"},
    {.path = "broker.certificate_file",
     .type = OPTION_STRING,
     .offset = AT(broker.certificate_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .help = "our own certificate (PEM), where the broker asks for one"},
    {.path = "broker.key_file",
     .type = OPTION_STRING,
     .offset = AT(broker.key_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .help = "the key (PEM) of our certificate"},

    {.path = "web.listen",
     .type = OPTION_ADDRESS,
     .offset = AT(web.listen),
     .fallback = "127.0.0.1",
     .help = "address of the page; other than loopback only with web.tls"},
    {.path = "web.port",
     .type = OPTION_PORT,
     .offset = AT(web.port),
     .fallback = "8080",
     .help = "port of the page; 0: any that is free"},
    {.path = "web.host",
     .type = OPTION_STRING,
     .offset = AT(web.host),
     .max = 1000,
     .fallback = "",
     .reloadable = true,
     .help = "names, with commas between, under which the page may be asked for beside its address"},
    {.path = "web.origin",
     .type = OPTION_STRING,
     .offset = AT(web.origin),
     .max = 1000,
     .fallback = "",
     .reloadable = true,
     .help = "origins (https://...), with commas between, whose pages may use the hub beside its own"},
    {.path = "web.tls",
     .type = OPTION_BOOLEAN,
     .offset = AT(web.tls),
     .fallback = "false",
     .help = "the page by https:// only"},
    {.path = "web.certificate_file",
     .type = OPTION_STRING,
     .offset = AT(web.certificate_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .help = "its certificate (PEM), and those that signed it, read anew at a reload; empty: one of the "
             "hub's own"},
    {.path = "web.key_file",
     .type = OPTION_STRING,
     .offset = AT(web.key_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .help = "the key (PEM) of that certificate"},
    {.path = "web.own_certificate",
     .type = OPTION_STRING,
     .offset = AT(web.own_certificate),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "/var/lib/lumbard/web.pem",
     .help = "file of the hub's own certificate and key, made at the first start"},
    {.path = "web.clients",
     .type = OPTION_INTEGER,
     .offset = AT(web.clients),
     .min = 1,
     .max = 1000,
     .fallback = "64",
     .unit = "sockets",
     .help = "connections at most; one more is answered with 503"},

    {.path = "api.socket",
     .type = OPTION_STRING,
     .offset = AT(api.socket),
     .max = 107,
     .fallback = "/run/lumbard/ctl",
     .help = "Unix socket for lumbarctl, mode 0660; empty: none"},
    {.path = "api.group",
     .type = OPTION_STRING,
     .offset = AT(api.group),
     .max = 32,
     .fallback = "",
     .help = "group of that socket, whose members may do everything; empty: the hub's own"},

    {.path = "spool.ring",
     .type = OPTION_STRING,
     .offset = AT(spool.ring),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "/run/lumbard/spool",
     .help = "file of the ring of messages, in a tmpfs"},
    {.path = "spool.copy",
     .type = OPTION_STRING,
     .offset = AT(spool.copy),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "/var/lib/lumbard/spool",
     .help = "file of its copy, on a disk"},
    {.path = "spool.size",
     .type = OPTION_SIZE,
     .offset = AT(spool.size_bytes),
     .min = 64 * KIB,
     .max = GIB,
     .step = 4 * KIB,
     .fallback = "16 MiB",
     .help = "size of either; 16 MiB hold a minute of a large clinic"},
    {.path = "spool.sync",
     .type = OPTION_DURATION,
     .offset = AT(spool.sync_ms),
     .min = 10,
     .max = 10000,
     .fallback = "100 ms",
     .help = "the copy is synced so often: what a power cut may take"},
    {.path = "spool.held",
     .type = OPTION_DURATION,
     .offset = AT(spool.held_ms),
     .min = 10,
     .max = 10000,
     .fallback = "2 s",
     .help = "and so seldom while devices hold what is new until it is on disk: a cut takes none"},
    {.path = "spool.patience",
     .type = OPTION_DURATION,
     .offset = AT(spool.patience_ms),
     .min = 1000,
     .max = 3600000,
     .fallback = "30 s",
     .help = "so long the copy may fail before messages are used without it"},

    {.path = "quarantine.file",
     .type = OPTION_STRING,
     .offset = AT(quarantine.file),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "/var/lib/lumbard/quarantine",
     .help = "file for the bytes of messages that cannot be used"},
    {.path = "quarantine.size",
     .type = OPTION_SIZE,
     .offset = AT(quarantine.size_bytes),
     .min = 64 * KIB,
     .max = GIB,
     .step = 4 * KIB,
     .fallback = "1 MiB",
     .help = "its size; when it is full, older ones of who has most go"},

    {.path = "recorder.folder",
     .type = OPTION_STRING,
     .offset = AT(recorder.folder),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "/var/lib/lumbard/recordings",
     .help = "folder of the recordings, on a disk"},
    {.path = "recorder.always",
     .type = OPTION_BOOLEAN,
     .offset = AT(recorder.always),
     .fallback = "false",
     .reloadable = true,
     .help = "record every room all the time, an hour a file, and not only sessions"},
    {.path = "recorder.days",
     .type = OPTION_INTEGER,
     .offset = AT(recorder.days),
     .min = 1,
     .max = 3650,
     .fallback = "30",
     .unit = "days",
     .reloadable = true,
     .help = "recordings are kept so long"},
    {.path = "recorder.size",
     .type = OPTION_SIZE,
     .offset = AT(recorder.size_bytes),
     .min = 1 * MIB,
     .max = 1024 * GIB,
     .step = 1 * MIB,
     .fallback = "4 GiB",
     .reloadable = true,
     .help = "so much of them at most; the oldest go first"},

    {.path = "history.file",
     .type = OPTION_STRING,
     .offset = AT(history.file),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "/var/lib/lumbard/history.db",
     .help = "file of history, sessions and alarms (SQLite), on a disk"},
    {.path = "history.memory",
     .type = OPTION_SIZE,
     .offset = AT(history.memory_bytes),
     .min = 512 * KIB,
     .max = GIB,
     .step = 4 * KIB,
     .fallback = "4 MiB",
     .help = "memory for what is gathered, twice; 4 MiB hold a minute of 5,500 values"},
    {.path = "history.seconds_days",
     .type = OPTION_INTEGER,
     .offset = AT(history.seconds_days),
     .min = 1,
     .max = 36500,
     .fallback = "90",
     .unit = "days",
     .help = "least, mean and greatest of each second are kept so long"},
    {.path = "history.minutes_days",
     .type = OPTION_INTEGER,
     .offset = AT(history.minutes_days),
     .min = 0,
     .max = 36500,
     .fallback = "0",
     .unit = "days",
     .help = "and those of each minute; 0: for ever"},
    {.path = "history.sessions_days",
     .type = OPTION_INTEGER,
     .offset = AT(history.sessions_days),
     .min = 0,
     .max = 36500,
     .fallback = "0",
     .unit = "days",
     .help = "sessions are kept so long, with notes and calibrations; 0: for ever"},
    {.path = "history.alarms_days",
     .type = OPTION_INTEGER,
     .offset = AT(history.alarms_days),
     .min = 0,
     .max = 36500,
     .fallback = "0",
     .unit = "days",
     .help = "and alarms that are over, with what became of them; 0: for ever"},
    {.path = "history.audit_days",
     .type = OPTION_INTEGER,
     .offset = AT(history.audit_days),
     .min = 0,
     .max = 36500,
     .fallback = "2192", /* six years, as 45 CFR 164.316(b)(2) wants, and twice BGB's limitation */
     .unit = "days",
     .help = "and lines of the audit trail: who did and saw what; 0: for ever"},
    {.path = "history.size",
     .type = OPTION_SIZE,
     .offset = AT(history.size_bytes),
     .min = 1 * MIB,
     .max = 1024 * GIB,
     .step = 1 * MIB,
     .fallback = "8 GiB",
     .help = "so much of it at most; the oldest seconds go first"},

    {.path = "storage.size",
     .type = OPTION_SIZE,
     .offset = AT(storage.size_bytes),
     .min = 0,
     .max = 4096 * GIB,
     .step = 1 * MIB,
     .fallback = "0 B",
     .help = "so much of history, recordings and backups together; beyond it the oldest seconds go, "
             "then recordings; 0 B: each has its own bound only"},

    {.path = "backup.folder",
     .type = OPTION_STRING,
     .offset = AT(backup.folder),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = "backups",
     .help = "folder of the backups of history.file, seen from its own; better on another disk"},
    {.path = "backup.every",
     .type = OPTION_DURATION,
     .offset = AT(backup.every_ms),
     .min = 0,
     .max = INT64_C(31) * 24 * 3600000,
     .fallback = "24 h",
     .reloadable = true,
     .help = "one is made so often, while the hub is at work: a whole one each week, else what has "
             "changed since; 0 s: only by hand"},
    {.path = "backup.keep",
     .type = OPTION_INTEGER,
     .offset = AT(backup.keep),
     .min = 1,
     .max = 365,
     .fallback = "7",
     .unit = "backups",
     .reloadable = true,
     .help = "so many are kept at least; the oldest go first, with the changes that tell of them"},
    {.path = "backup.size",
     .type = OPTION_SIZE,
     .offset = AT(backup.size_bytes),
     .min = 1 * MIB,
     .max = 1024 * GIB,
     .step = 1 * MIB,
     .fallback = "16 GiB",
     .reloadable = true,
     .help = "so much of them at most, but for the newest; the oldest go first"},

    {.path = "plugins.folder",
     .type = OPTION_STRING,
     .offset = AT(plugins.folder),
     .min = 1,
     .max = PATH_MAX_BYTES,
     .fallback = LUMBAR_PLUGIN_FOLDER,
     .help = "folder of the device plugins (*.so)"},

    {.path = "devices.max",
     .type = OPTION_INTEGER,
     .offset = AT(devices.max),
     .min = 1,
     .max = 10000,
     .fallback = "400",
     .unit = "devices",
     .help = "devices known at a time; further ones are refused and counted"},
    {.path = "devices.rate",
     .type = OPTION_INTEGER,
     .offset = AT(devices.rate_per_s),
     .min = 1,
     .max = 100000,
     .fallback = "200",
     .unit = "messages/s",
     .help = "what one device may send; more is refused and counted"},
    {.path = "devices.ack",
     .type = OPTION_DURATION,
     .offset = AT(devices.ack_ms),
     .min = 100,
     .max = 60000,
     .fallback = "2 s",
     .reloadable = true,
     .help = "a device is told at most so often what is safely on disk"},

    {.path = "feed.size",
     .type = OPTION_SIZE,
     .offset = AT(feed.size_bytes),
     .min = 64 * KIB,
     .max = GIB,
     .step = 4 * KIB,
     .fallback = "3 MiB",
     .help = "memory for the last minutes of every value"},

    {.path = "rules.folder",
     .type = OPTION_STRING,
     .offset = AT(rules.folder),
     .max = PATH_MAX_BYTES,
     .fallback = "rules.d",
     .reloadable = true,
     .help = "folder of the alarm rules (*.yaml), from the configuration file's; empty: none"},

    {.path = "rules.changes",
     .type = OPTION_STRING,
     .offset = AT(rules.changes),
     .max = PATH_MAX_BYTES,
     .fallback = "/var/lib/lumbard/rules.yaml",
     .reloadable = true,
     .help = "what the page changes of these rules; need not be there; empty: it changes none"},

    {.path = "alarms.flood",
     .type = OPTION_INTEGER,
     .offset = AT(alarms.flood),
     .min = 1,
     .max = 10000,
     .fallback = "10",
     .unit = "alarms",
     .reloadable = true,
     .help = "more alarms that begin within ten minutes are a flood; 10 for each who answers them"},

    {.path = "webhook.url",
     .type = OPTION_STRING,
     .offset = AT(webhook.url),
     .max = 700,
     .fallback = "",
     .reloadable = true,
     .help =
         "web server (http:// or https://) that is told by POST of alarms that are high, or that "
         "nobody acknowledged, and of their end; empty: none"},
    {.path = "webhook.token_file",
     .type = OPTION_STRING,
     .offset = AT(webhook.token_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .reloadable = true,
     .help = "file whose first line is sent to it as bearer token; empty: none"},
    {.path = "webhook.ca_file",
     .type = OPTION_STRING,
     .offset = AT(webhook.ca_file),
     .max = PATH_MAX_BYTES,
     .fallback = "",
     .reloadable = true,
     .help = "certificates (PEM) that its own must be signed by; empty: those of the system"},

    {.path = "plans.folder",
     .type = OPTION_STRING,
     .offset = AT(plans.folder),
     .max = PATH_MAX_BYTES,
     .fallback = "plans.d",
     .reloadable = true,
     .help = "folder of the plans (*.yaml), from the configuration file's; empty: none"},

    {.path = "sessions.idle",
     .type = OPTION_DURATION,
     .offset = AT(sessions.idle_ms),
     .min = 1000,
     .max = 24 * 3600000,
     .fallback = "15 min",
     .reloadable = true,
     .help = "a session in which no device works and nobody does anything for so long has ended"},

    {.path = "sessions.amend_days",
     .type = OPTION_INTEGER,
     .offset = AT(sessions.amend_days),
     .min = 0,
     .max = 36500,
     .fallback = "90",
     .unit = "days",
     .reloadable = true,
     .help = "so long scores, pain, notes and an adverse event may be added to one that is over"},

    {.path = "calibration.neutral",
     .type = OPTION_DURATION,
     .offset = AT(calibration.neutral_ms),
     .min = 60000,
     .max = 24 * 3600000,
     .fallback = "8 h",
     .help = "a neutral posture holds so long: until the wearable is put on anew"},
    {.path = "calibration.range",
     .type = OPTION_INTEGER,
     .offset = AT(calibration.range_days),
     .min = 1,
     .max = 3650,
     .fallback = "90",
     .unit = "days",
     .help = "a client's own range holds so long; then limits that ask for it do without"},
};

const size_t option_count = sizeof(options) / sizeof(options[0]);

const struct option *option_find(const char *path)
{
    for (size_t i = 0; i < option_count; i++)
        if (strcmp(options[i].path, path) == 0)
            return &options[i];
    return NULL;
}

static int64_t greatest(const struct option *option)
{
    return option->type == OPTION_PORT ? 65535 : option->max;
}

/* "16 MiB", "90 s": in the largest unit that leaves a whole number. */
static void add_amount(struct text *text, enum option_type type, int64_t amount)
{
    static const struct scale {
        const char *unit;
        int64_t factor;
    } sizes[] = {{"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"B", 1}},
      times[] = {{"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};
    const struct scale *scale = type == OPTION_SIZE ? sizes : times;
    while (amount % scale->factor != 0)
        scale++;
    text_add(text, "%lld %s", (long long)(amount / scale->factor), scale->unit);
}

const char *option_describe(const struct option *option, char *out, size_t bytes)
{
    struct text text = text_in(out, bytes);
    switch (option->type) {
    case OPTION_STRING:
        text_add(&text, "text of %lld..%lld bytes", (long long)option->min, (long long)option->max);
        break;
    case OPTION_LABEL:
        text_add(&text, "1..63 of A-Z a-z 0-9 _ - .");
        break;
    case OPTION_BOOLEAN:
        text_add(&text, "true or false");
        break;
    case OPTION_ADDRESS:
        text_add(&text, "a numeric address");
        break;
    case OPTION_INTEGER:
    case OPTION_PORT:
        text_add(&text, "a whole number, %lld..%lld", (long long)option->min,
                 (long long)greatest(option));
        break;
    case OPTION_DURATION:
    case OPTION_SIZE:
        text_add(&text, option->type == OPTION_SIZE ? "a size, " : "a time, ");
        add_amount(&text, option->type, option->min);
        text_add(&text, "..");
        add_amount(&text, option->type, option->max);
        if (option->step > 1) {
            text_add(&text, " in steps of ");
            add_amount(&text, option->type, option->step);
        }
        break;
    }
    return out;
}

static int wants(const struct option *option, const char *text, int code, struct diag *diag)
{
    char expected[120];
    return diag_set(diag, code, "%s is %s, not '%.60s'", option->path,
                    option_describe(option, expected, sizeof(expected)), text);
}

static bool whole_number(const char *text, int64_t *number)
{
    double value;
    const char *unit;
    if (!text_quantity(text, &value, &unit) || *unit != '\0' || strchr(text, '.') != NULL)
        return false;
    *number = (int64_t)value;
    return true;
}

static int set_number(const struct option *option, const char *text, int64_t *at, struct diag *diag)
{
    int64_t number = 0;
    bool fits = option->type == OPTION_DURATION ? text_duration_ms(text, &number)
                : option->type == OPTION_SIZE   ? text_size_bytes(text, &number)
                                                : whole_number(text, &number);
    if (!fits)
        return wants(option, text, ERR_SYNTAX, diag);
    if (number < option->min || number > greatest(option) ||
        (option->step > 1 && number % option->step != 0))
        return wants(option, text, ERR_RANGE, diag);
    *at = number;
    return 0;
}

static int set_boolean(const struct option *option, const char *text, bool *at, struct diag *diag)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return wants(option, text, ERR_SYNTAX, diag);
    *at = text[0] == 't';
    return 0;
}

static bool is_address(const char *text)
{
    struct in6_addr any;
    return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

bool option_is_loopback(const char *address)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &six) == 1 &&
           memcmp(&six, &in6addr_loopback, sizeof(six)) == 0;
}

static int set_string(const struct option *option, const char *text, const char **at,
                      struct diag *diag)
{
    size_t length = strlen(text);
    if (option->type == OPTION_LABEL && !text_is_label(text, length))
        return wants(option, text, ERR_SYNTAX, diag);
    if (option->type == OPTION_ADDRESS && !is_address(text))
        return wants(option, text, ERR_RANGE, diag);
    if (option->type == OPTION_STRING &&
        (length < (size_t)option->min || length > (size_t)option->max || strchr(text, '\n')))
        return wants(option, text, ERR_RANGE, diag);
    *at = text;
    return 0;
}

int option_set(const struct option *option, const char *text, struct config *config,
               struct diag *diag)
{
    void *at = (char *)config + option->offset;
    switch (option->type) {
    case OPTION_STRING:
    case OPTION_LABEL:
    case OPTION_ADDRESS:
        return set_string(option, text, at, diag);
    case OPTION_BOOLEAN:
        return set_boolean(option, text, at, diag);
    default:
        return set_number(option, text, at, diag);
    }
}

bool option_equal(const struct option *option, const struct config *a, const struct config *b)
{
    const void *in_a = (const char *)a + option->offset, *in_b = (const char *)b + option->offset;
    switch (option->type) {
    case OPTION_STRING:
    case OPTION_LABEL:
    case OPTION_ADDRESS:
        return strcmp(*(const char *const *)in_a, *(const char *const *)in_b) == 0;
    case OPTION_BOOLEAN:
        return *(const bool *)in_a == *(const bool *)in_b;
    default:
        return *(const int64_t *)in_a == *(const int64_t *)in_b;
    }
}
