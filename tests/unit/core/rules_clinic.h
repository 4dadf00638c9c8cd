/* Rule sets for tests, over the drivers of clinic_drivers.h. */
#ifndef LUMBAR_TESTS_RULES_CLINIC_H
#define LUMBAR_TESTS_RULES_CLINIC_H

#include <string.h>

#include "clinic_drivers.h"
#include "core/rules.h"

/* A set from one text, which must load. */
static inline struct rules *clinic_rules(const struct drivers *drivers, uint32_t max_devices,
                                         const char *text)
{
    struct rules *rules;
    struct diag diag = {0};
    char sentence[600];
    struct rules_text file = {.file = "f.yaml", .text = text, .bytes = strlen(text)};
    if (rules_load(&rules, &file, 1, drivers, max_devices, &diag) != 0)
        fail_msg("%s\n%s", text, diag_sentence(&diag, sentence, sizeof(sentence)));
    return rules;
}

#endif
