/* Recordings: any bytes as a table, read to its end as every sort of it. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "played.h"
#include "recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of its own size: the text is not terminated, and none may be read beyond. */
    char *text = malloc(size > 0 ? size : 1);
    if (size > 0)
        memcpy(text, data, size);
    struct diag diag = {.code = 0};
    struct recording recording;
    if (recording_open(&recording, "fuzz", text, size, &diag) == 0) {
        struct neutral neutral = {.l5_forward = 0};
        neutral_read(&neutral, "fuzz", text, size, recording.format, &diag);
        struct played played;
        played_init(&played, recording.format, &neutral);
        struct recording_row row;
        double last_s = 0;
        while (recording_next(&recording, &row, &diag) > 0) {
            assert(row.time_s >= last_s && isfinite(row.time_s));
            last_s = row.time_s;
            played_row(&played, &row);
            static struct batch batch;
            batch_init(&batch, recording_kind(recording.format), 0);
            batch_add_posture(&batch, 0, &played.angles, played.firmware.posture);
            batch_add_massage(&batch, 0, &played.massage);
        }
    } else {
        assert(diag.code != 0 && diag.text[0] != '\0');
    }
    free(text);
    return 0;
}
