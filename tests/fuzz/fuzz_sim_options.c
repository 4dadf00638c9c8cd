/* lumbar-sim's command line: any arguments, separated by NUL. What it takes is within its bounds,
 * what it refuses has a sentence. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGUMENTS_MAX 100

static void must(bool right)
{
    if (!right)
        abort();
}

static void hold(const struct options *options)
{
    must(options->port >= 1 && options->port <= 65535);
    must(options->rooms >= 1 && options->rooms <= ROOMS_MAX);
    must(isfinite(options->seed) && isfinite(options->rate) && options->rate > 0);
    must(options->batch_ms > 0 && options->speed > 0 && options->seconds >= 0);
    must(isfinite(options->batch_ms) && isfinite(options->speed) && isfinite(options->seconds));
    must(options->fault_count <= OPTIONS_FAULTS && options->file_count <= OPTIONS_FILES);
    for (unsigned i = 0; i < options->fault_count; i++) {
        const struct fault *fault = &options->faults[i];
        must(fault->what < FAULT_COUNT_ && isfinite(fault->value) && fault->start_ms >= 0);
        must(fault->duration_ms == FAULT_FOR_EVER || fault->duration_ms >= 0);
        must(fault->room <= ROOMS_MAX);
    }
    if (options->replay && !options->help)
        must(options->file_count > 0 && options->as != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *argv[ARGUMENTS_MAX + 1];
    int argc = 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    argv[argc++] = (char[]){"lumbar-sim"};
    for (size_t at = 0; at < size && argc < ARGUMENTS_MAX; at += strlen(text + at) + 1)
        argv[argc++] = text + at;
    argv[argc] = NULL;
    struct options options;
    struct diag diag = {.code = 0};
    if (options_parse(&options, argc, argv, &diag) == 0)
        hold(&options);
    else
        must(diag.code != 0 && diag.text[0] != '\0');
    free(text);
    return 0;
}
