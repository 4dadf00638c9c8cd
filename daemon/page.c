/* The page's port; and its certificate: loaded, renewed without a client noticing, and warned of
 * before its end. */
#include "accounts.h"
#include "api/api.h"
#include "audit.h"
#include "base/log.h"
#include "io/certificate.h"

#define DAY_MS  INT64_C(86400000)
#define LOOK_MS 1000
#define TRY_MS  600000 /* a renewal that failed is tried so often */

/* Said once each, as its end comes nearer. */
static const int warning_days[] = {30, 7, 1, 0};
#define WARNINGS ((int)(sizeof(warning_days) / sizeof(warning_days[0])))

int hub_read_certificate(const struct config *config, struct certificate **certificate,
                         struct diag *diag)
{
    struct diag trouble = {0};
    const char *file = config->web.certificate_file;
    bool own = file[0] == '\0';
    *certificate = NULL;
    if (!config->web.tls)
        return 0;
    int code = own ? certificate_own(certificate, config->web.own_certificate, config->web.host,
                                     clock_wall_ms(), &trouble)
                   : certificate_load(certificate, file, config->web.key_file, &trouble);
    return code == 0 ? 0
                     : config_complain(config, own ? "web.own_certificate" : "web.certificate_file",
                                       diag, code, "%s", trouble.text);
}

void hub_take_certificate(struct lumbard *hub, struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    if (hub->web != NULL && !web_take_certificate(hub->web, certificate)) {
        log_error("tls: OpenSSL does not take the certificate; that of before is shown");
        certificate_destroy(certificate);
        return;
    }
    certificate_destroy(hub->certificate);
    hub->certificate = certificate;
    hub->certificate_warned = 0;
    hub->certificate_looked_ms = 0;
    log_notice("tls: fingerprint %s", certificate_fingerprint(certificate));
}

int hub_open_page(struct lumbard *hub, struct diag *diag)
{
    const struct config *config = hub->setup.config;
    struct certificate *certificate;
    int code = hub_read_certificate(config, &certificate, diag);
    if (code != 0)
        return code;
    hub_take_certificate(hub, certificate);
    struct web_options options = {
        .listen = config->web.listen,
        .port = (int)config->web.port,
        .host = config->web.host,
        .origin = config->web.origin,
        .certificate = hub->certificate,
        .clients = (unsigned)config->web.clients,
        .web_root = hub->options->web_root,
        .hub_offset_ms = hub->offset_ms,
        .api = hub_api(hub),
        .see_who = hub_see_who,
        .still_may = hub_still_may,
        .on_watch = hub_note_watch,
        .people = hub,
        .socket = config->api.socket,
        .group = config->api.group,
    };
    return web_create(&hub->web, &hub->loop, &options, hub->frame, diag);
}

/* Whole days until its end, rounded down; below 0: it is over. */
static int64_t days_left(const struct lumbard *hub)
{
    int64_t left_ms = certificate_until_ms(hub->certificate) - clock_wall_ms();
    return left_ms >= 0 ? left_ms / DAY_MS : -1;
}

/* Its own, near its end: a new one; where that cannot be written, the old one is shown on. */
static void renew(struct lumbard *hub, int64_t now_ms)
{
    struct certificate *fresh;
    struct diag diag = {0};
    char sentence[512];
    if (hub->certificate_tried_ms != 0 && now_ms - hub->certificate_tried_ms < TRY_MS)
        return;
    hub->certificate_tried_ms = now_ms;
    if (hub_read_certificate(hub->setup.config, &fresh, &diag) != 0) {
        log_warn("tls: not renewed: %s", diag_sentence(&diag, sentence, sizeof(sentence)));
    } else if (certificate_until_ms(fresh) > certificate_until_ms(hub->certificate)) {
        log_notice("tls: the hub's own certificate is renewed");
        hub_take_certificate(hub, fresh);
    } else {
        certificate_destroy(fresh);
    }
}

static void warn(struct lumbard *hub, int64_t days)
{
    int reached = 0;
    while (reached < WARNINGS && days < warning_days[reached])
        reached++;
    if (reached > hub->certificate_warned && days >= 0)
        log_warn("tls: the page's certificate ends in %lld days", (long long)days);
    else if (reached > hub->certificate_warned)
        log_error("tls: the page's certificate has ended: browsers refuse the page");
    hub->certificate_warned = reached;
}

void hub_tick_certificate(struct lumbard *hub, int64_t now_ms)
{
    if (hub->certificate == NULL ||
        (hub->certificate_looked_ms != 0 && now_ms - hub->certificate_looked_ms < LOOK_MS))
        return;
    if (certificate_is_own(hub->certificate) && days_left(hub) < CERTIFICATE_EARLY_DAYS)
        renew(hub, now_ms);
    hub->certificate_looked_ms = now_ms;
    hub->certificate_days = days_left(hub);
    hub->certificate_ends = hub->certificate_days < warning_days[0];
    warn(hub, hub->certificate_days);
}
