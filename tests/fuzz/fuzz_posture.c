/* The posture plugin, against protobuf-c. */
#include "against.h"
#include "posture.pb-c.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct pair telemetry[] = {
    {"lumbar_flexion", "lumbar_flexion", 100, 0},
    {"lumbar_flexion_velocity", "lumbar_flexion_velocity", 10, 0},
    {"trunk_inclination", "trunk_inclination", 100, 0},
    {"lumbar_lateral_flexion", "lumbar_lateral_flexion", 100, 0},
    {"lumbar_rotation", "lumbar_rotation", 100, 0},
    {"posture", "posture", 0, 1},
    {"slouch_duration_s", "slouch_duration", 1, 0},
    {"sitting_bout_s", "sitting_bout", 60, 0},
    {"rom_flexion_max", "rom_flexion_max", 100, 0},
    {"battery", "battery", 1, 0},
    {"rssi", "rssi", 1, 0},
    {"contact", "contact", 1, 0},
};
static const struct pair status[] = {
    {"battery", "battery", 1, 0}, {"rssi", "rssi", 1, 0}, {"contact", "contact", 1, 0}};

static const struct side sides[] = {
    {"telemetry", &lumbar__posture__v1__telemetry__descriptor, telemetry, COUNT(telemetry)},
    {"status", &lumbar__posture__v1__status__descriptor, status, COUNT(status)},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct drivers drivers;
    if (drivers.count == 0)
        open_plugin(PLUGIN_FOLDER "/posture.so", &drivers);
    fuzz_against(&drivers, sides, COUNT(sides), data, size);
    return 0;
}
