/* A fault for lumbar-sim: what is taken can happen, and is found where and while it does; what is
 * refused has a sentence that names it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
    if (!truth)
        abort(); /* in every build */
}

static void hold(const struct fault *fault)
{
    unsigned room = fault->room != 0 ? fault->room : 7;
    must(fault->what < FAULT_COUNT_ && isfinite(fault->value) && fault->start_ms >= 0);
    must(fault->kind == KIND_POSTURE || fault->kind == KIND_MASSAGE);
    must(fault->duration_ms == FAULT_FOR_EVER || fault->duration_ms >= 0);
    const struct fault *found =
        fault_find(fault, 1, room, fault->kind, fault->what, fault->start_ms);
    must(found == (fault->duration_ms != 0 ? fault : NULL));
    must(fault_find(fault, 1, room, fault->kind, fault->what, fault->start_ms - 1) == NULL);
    if (fault->room != 0)
        must(fault_find(fault, 1, room + 1, fault->kind, fault->what, fault->start_ms) == NULL);
    if (fault->duration_ms != FAULT_FOR_EVER)
        must(fault_find(fault, 1, room, fault->kind, fault->what,
                        fault->start_ms + fault->duration_ms) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault = {0};
    struct diag diag = {.code = 0};
    char *spec = strndup((const char *)data, size);
    must(spec != NULL);
    if (fault_parse(&fault, spec, &diag) == 0)
        hold(&fault);
    else
        must(diag.code != 0 && strstr(diag.text, "--fault") != NULL);
    free(spec);
    return 0;
}
