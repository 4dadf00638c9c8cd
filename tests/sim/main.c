/*
 * lumbar-sim: plays a clinic over MQTT, for demonstrations and tests.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "options.h"
#include "play.h"
#include "replay.h"
#include "run.h"

int main(int argc, char **argv)
{
    struct options options;
    struct diag diag = {0};
    if (options_parse(&options, argc, argv, &diag) != 0) {
        char sentence[512];
        fprintf(stderr, "lumbar-sim: %s\n", diag_sentence(&diag, sentence, sizeof(sentence)));
        return 2;
    }
    if (options.help) {
        options_help(stdout);
        return 0;
    }
    log_set_level(options.verbose ? LOG_DEBUG_ : LOG_WARN);
    run_block_signals();
    int result = options.replay ? replay_recordings(&options, &diag) : play_clinic(&options, &diag);
    if (result < 0) {
        char sentence[512];
        fprintf(stderr, "lumbar-sim: %s\n", diag_sentence(&diag, sentence, sizeof(sentence)));
        result = 1;
    }
    fflush(NULL);
    _exit(result); /* Paho's threads are not ended, they are left: see link.h */
}
