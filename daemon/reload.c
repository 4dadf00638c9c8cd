/* A reload: everything or nothing. */
#include "base/clock.h"
#include "base/log.h"
#include "check.h"
#include "hub.h"
#include "io/certificate.h"
#include "io/notify.h"

static void on_alarm(void *user, const struct alarm *alarm)
{
    hub_tell_alarm(user, alarm);
}

int hub_show_anew(struct lumbard *hub, const struct config *config, const struct rules *rules,
                  struct diag *diag)
{
    int code = frame_reload(hub->frame, &(struct frame_world){
                                            .config = config,
                                            .drivers = &hub->setup.drivers,
                                            .devices = hub->ingest.devices,
                                            .rules = rules,
                                            .alarms = hub->ingest.alarms,
                                            .feed = hub->ingest.feed,
                                            .sessions = hub->ingest.sessions,
                                            .calibration = hub->ingest.calibration,
                                            .suppressions = &hub->suppressions,
                                            .pauses = &hub->pauses,
                                        });
    return code == 0 ? 0 : diag_set(diag, code, "no memory for what the page has to be told");
}

/* The frames come first: theirs is the only step that may fail, and then nothing has changed. */
static int take_over(struct lumbard *hub, struct config *config, struct rules *rules,
                     struct plans *plans, struct diag *diag)
{
    struct plans *old_plans = hub->setup.plans;
    struct config *old_config = hub->setup.config;
    struct rules *old_rules = hub->setup.rules;
    struct publish_world old_world = hub_publish_world(hub);
    int code =
        publisher_prepare(hub->publisher, rules_count(rules), alarms_standing(hub->ingest.alarms));
    if (code != 0)
        return diag_set(diag, code, "no memory for what the broker has to be told");
    code = hub_show_anew(hub, config, rules, diag);
    if (code != 0)
        return code;
    publisher_were(hub->publisher, &old_world);
    rules_adopt(rules, old_rules, hub->ingest.devices);
    alarms_adopt(hub->ingest.alarms, rules, hub_now_ms(hub), on_alarm, hub);
    suppressions_adopt(&hub->suppressions, rules);
    pauses_adopt(&hub->pauses, old_config, config);
    hub->reloading = true;
    sessions_adopt(hub->ingest.sessions, old_config, config, hub_now_ms(hub));
    hub->reloading = false;
    hub->setup.config = config;
    hub->setup.rules = rules;
    hub->setup.plans = plans;
    hub->ingest.config = config;
    hub->ingest.rules = rules;
    hub_adopt_placements(hub);
    struct diag assign = {0};
    char sentence[512];
    if (ingest_assign(&hub->ingest, &assign) != 0)
        log_warn("%s", diag_sentence(&assign, sentence, sizeof(sentence)));
    hub_assign_recorder(hub);
    hub_store_sessions(hub);
    struct publish_world world = hub_publish_world(hub);
    publisher_begin(hub->publisher, &world);
    hub_store_rooms(hub);
    plans_destroy(old_plans);
    rules_destroy(old_rules);
    config_destroy(old_config);
    return 0;
}

/* Other metrics than now are derived: all that a start would look at is looked at, and then it
 * starts, where somebody starts it again. That takes a second or less and loses nothing: the store
 * has what was accumulated. False: it does not, and why. */
static bool starts_anew(struct lumbard *hub, const char *file, struct diag *diag)
{
    struct diag found = {0};
    if (!notify_is_heard())
        return false;
    if (check_config(file, NULL, &found) != 0) {
        *diag = found;
        return false;
    }
    log_notice("other metrics are derived: starting anew, with what was accumulated");
    hub_stop(hub);
    return true;
}

int hub_reload(struct lumbard *hub, struct diag *diag)
{
    struct config *config = NULL;
    struct rules *rules = NULL;
    struct plans *plans = NULL;
    struct webhook_target *target = NULL;
    struct certificate *certificate = NULL;
    char sentence[512];
    const char *file = hub->options->config_file;
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_mono_ns() / 1000));
    int code = setup_read_config(file, &config, diag);
    if (code == 0)
        code = config_check_reload(hub->setup.config, config, diag);
    if (code == 0)
        code = ingest_check(config, &hub->setup.drivers, hub->ingest.devices, diag);
    if (code == 0)
        code = setup_read_rules(file, config, &hub->setup.drivers, hub->setup.derive, &rules, diag);
    if (code == ERR_RESTART && starts_anew(hub, file, diag)) {
        config_destroy(config);
        notify_send("READY=1");
        return 0;
    }
    if (code == 0)
        code = setup_read_plans(file, config, &hub->setup.drivers, &hub->setup.body, &plans, diag);
    if (code == 0)
        code = setup_webhook(config, &target, diag);
    if (code == 0)
        code = hub_read_certificate(config, &certificate, diag);
    if (code == 0)
        code = take_over(hub, config, rules, plans, diag);
    if (code == 0) {
        webhook_aim(hub->webhook, target);
        hub_take_certificate(hub, certificate);
        web_take_names(hub->web, config->web.host, config->web.origin);
        web_look_again(hub->web, "the configuration was changed");
        log_notice("configuration reloaded: %u rooms, %u rules", config->room_count,
                   rules_written(rules));
        web_alarm(hub->web);
        hub_keep_setup(hub);
        hub_assign_backups(hub);
    } else {
        certificate_destroy(certificate);
        webhook_target_destroy(target);
        plans_destroy(plans);
        rules_destroy(rules);
        config_destroy(config);
        log_error("not reloaded, nothing changed: %s",
                  diag_sentence(diag, sentence, sizeof(sentence)));
    }
    notify_send("READY=1");
    return code;
}
