/* The massage plugin, against protobuf-c. Faults are events of which some are none, so they are
 * left to the unit test. */
#include "against.h"
#include "massage.pb-c.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct pair telemetry[] = {
    {"massage_pressure", "massage_pressure", 10, 0},
    {"massage_force", "massage_force", 10, 0},
    {"percussion_frequency", "percussion_frequency", 100, 0},
    {"percussion_amplitude", "percussion_amplitude", 100, 0},
    {"skin_temperature", "skin_temperature", 100, 0},
    {"surface_temperature", "surface_temperature", 100, 0},
    {"motor_current", "motor_current", 1000, 0},
    {"motor_temperature", "motor_temperature", 100, 0},
    {"motor_vibration", "motor_vibration", 100, 0},
    {"state", "state", 0, 1},
    {"program", "program", 0, 0},
    {"region", "region", 0, 0},
    {"region_time_s", "region_time", 60, 0},
    {"battery", "battery", 1, 0},
    {"rssi", "rssi", 1, 0},
    {"contact", "contact", 1, 0},
};
static const struct pair status[] = {{"battery", "battery", 1, 0},
                                     {"rssi", "rssi", 1, 0},
                                     {"contact", "contact", 1, 0},
                                     {"state", "state", 0, 1}};

static const struct side sides[] = {
    {"telemetry", &lumbar__massage__v1__telemetry__descriptor, telemetry, COUNT(telemetry)},
    {"status", &lumbar__massage__v1__status__descriptor, status, COUNT(status)},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct drivers drivers;
    if (drivers.count == 0)
        open_plugin(PLUGIN_FOLDER "/massage.so", &drivers);
    fuzz_against(&drivers, sides, COUNT(sides), data, size);
    return 0;
}
