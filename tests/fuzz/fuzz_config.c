/* A configuration file of any bytes: a whole configuration, or one complaint with its place. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(int holds)
{
    if (!holds)
        abort();
}

/* What the rest of the hub relies on without looking again. */
static void check(const struct config *config)
{
    demand(config->room_count <= CONFIG_ROOMS_MAX);
    demand(config->broker.port >= 1 && config->broker.port <= 65535);
    demand(config->spool.size_bytes >= 65536 && config->spool.size_bytes % 4096 == 0);
    demand(config->devices.max >= 1 && config->devices.max <= 10000);
    demand(text_is_label(config->broker.client_id, strlen(config->broker.client_id)));
    for (uint32_t r = 0; r < config->room_count; r++) {
        const struct config_room *room = &config->rooms[r];
        demand(text_is_label(room->name, strlen(room->name)));
        demand(room->title[0] != '\0' && room->device_count <= CONFIG_ROOM_DEVICES_MAX);
        for (uint32_t d = 0; d < room->device_count; d++)
            demand(strchr(room->devices[d], '/') != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config;
    struct diag diag = {0};
    char sentence[700];
    int code = config_parse(&config, "fuzz.yaml", (const char *)data, size, &diag);
    demand((code == 0) == (config != NULL) && diag.code == code);
    if (code == 0) {
        check(config);
        demand(config_check_reload(config, config, &diag) == 0);
    } else {
        demand(diag.text[0] != '\0' && diag.line >= 0 && diag.column >= 0);
        diag_sentence(&diag, sentence, sizeof(sentence));
    }
    config_destroy(config);
    return 0;
}
