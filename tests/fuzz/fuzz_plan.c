/* A plan or a client of any bytes: the whole of it, or one complaint; and what is written of it
 * reads to the same. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/core/clinic_drivers.h"
#include "base/text.h"
#include "core/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const regions[] = {"none", "lower_back_left", "lower_back_right", "hip", NULL};
static const struct lumbar_metric hand_metrics[] = {
    {.name = "region",
     .title = "Region",
     .unit = "1",
     .kind = LUMBAR_STATE,
     .max = 3,
     .period_ms = 1000,
     .labels = regions},
};
static const char *const leaves[] = {"telemetry", NULL};
static const struct lumbar_plugin hand = {
    .kind = "hand",
    .title = "Hand",
    .topic = "lumbar/v1/hand/{device}/{leaf}",
    .leaves = leaves,
    .metrics = hand_metrics,
    .metric_count = 1,
};

static char written[256 * 1024], again[256 * 1024];

static void demand(int holds)
{
    if (!holds)
        abort();
}

static void check_band(const struct plan_band *band, uint32_t phases)
{
    demand(band->phase == PLAN_ANY_PHASE || band->phase < phases);
    demand(!(band->low >= band->high));
    demand(!isnan(band->low) || !isnan(band->high) || band->own > 0);
}

static void check_plan(const struct plan *plan, const struct drivers *drivers,
                       const struct body *body)
{
    static struct plan second;
    struct diag diag = {0};
    struct text text = text_in(written, sizeof(written)),
                text_again = text_in(again, sizeof(again));
    demand(plan->phase_count <= PLAN_PHASES_MAX && plan->band_count <= PLAN_BANDS_MAX);
    for (uint32_t i = 0; i < plan->band_count; i++)
        check_band(&plan->bands[i], plan->phase_count);
    plan_write(&text, plan, drivers, body);
    demand(!text.cut);
    demand(plan_parse(&second, "again", written, text.length, drivers, body, &diag) == 0);
    plan_write(&text_again, &second, drivers, body);
    demand(strcmp(written, again) == 0);
}

static void check_client(const struct client *client, const struct drivers *drivers,
                         const struct body *body)
{
    static struct client second;
    struct diag diag = {0};
    struct text text = text_in(written, sizeof(written)),
                text_again = text_in(again, sizeof(again));
    demand(text_is_label(client->name, strlen(client->name)));
    client_write(&text, client, drivers, body);
    demand(!text.cut);
    demand(client_parse(&second, "again", written, text.length, drivers, body, &diag) == 0);
    client_write(&text_again, &second, drivers, body);
    demand(strcmp(written, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct drivers drivers;
    static struct body body;
    static struct plan plan;
    static struct client client;
    struct diag diag = {0};
    if (size == 0)
        return 0;
    if (drivers.count == 0) {
        clinic_init(&drivers);
        demand(drivers_add(&drivers, &hand, NULL) == 0);
        body_init(&body, &drivers);
    }
    const char *text = (const char *)data + 1;
    bool is_plan = data[0] != 'c';
    int code = is_plan ? plan_parse(&plan, "fuzz", text, size - 1, &drivers, &body, &diag)
                       : client_parse(&client, "fuzz", text, size - 1, &drivers, &body, &diag);
    demand(code == diag.code && (code == 0 || diag.text[0] != '\0'));
    if (code == 0 && is_plan)
        check_plan(&plan, &drivers, &body);
    else if (code == 0)
        check_client(&client, &drivers, &body);
    return 0;
}
