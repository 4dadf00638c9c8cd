/* What a simulated device hears from the hub: any bytes as an acknowledgement, and as the word to
 * show itself. It lets go of what was sent and of nothing else, and never of what it has not sent;
 * it shows itself for a minute at most. The first byte says how many messages it has made, the
 * second how many of them are sent. */
#include <stdint.h>
#include <stdlib.h>

#include "device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool right)
{
    if (!right)
        abort();
}

static unsigned room; /* messages that the network still takes */

static bool send_some(void *user, const char *topic, const uint8_t *bytes, size_t length)
{
    (void)user, (void)topic;
    must(bytes != NULL && length > 0);
    if (room == 0)
        return false;
    room--;
    return true;
}

static void make(struct device *device, unsigned messages)
{
    static const struct posture_angles angles = {.trunk = 5};
    static const struct batch_now now = {.battery = 90};
    device_init(device, KIND_POSTURE, "p-01", POSTURE_HAS_FLEXION, 7, 1, 200, send_some, NULL);
    device_connected(device);
    for (unsigned i = 0; i < messages; i++) {
        device_add_posture(device, 1000 + i * 200, &angles, 1, &now);
        room = 0;
        device_pump(device, 1000 + i * 200, true);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct device device; /* large */
    if (size < 2)
        return 0;
    make(&device, data[0] % 16);
    room = data[1] % 20;
    device_pump(&device, 10000, true);
    struct outbox before = device.outbox;
    device_hear_ack(&device, data + 2, size - 2, 11000);
    must(device.outbox.boot_id == before.boot_id && device.outbox.end == before.end);
    must(device.outbox.first >= before.first && device.outbox.first <= before.next);
    must(device.outbox.next <= device.outbox.end && device.outbox.next >= device.outbox.first);
    int seconds = device_hear_identify(&device, data + 2, size - 2);
    must(seconds >= -1 && seconds <= 60);
    device_fini(&device);
    return 0;
}
