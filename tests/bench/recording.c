/*
 * bench-recording: what an hour of a room costs on disk, and how fast it is replayed.
 *
 *   bench-recording [ROOMS]   default: 3 rooms, each at another point of its day
 *
 * The rooms are lumbar-sim's, played at full speed: a posture wearable (5 metrics at 50 Hz, and
 * its posture) and a massage device (8 at 10 Hz), a message each 200 ms. Their messages go through
 * the hub's recorder, a block a minute, as in service; then lumbarctl verifies and replays them
 * with the shipped plugins and rules, and tries other rules beside them.
 * Exit 0: at most 3 bytes on disk a sample, less than 2 s for each room's hour, and rules tried at
 * 1,000 times its speed; else 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "core/tape_pack.h"
#include "hub.h"
#include "io/recorder.h"
#include "io/tape_folder.h"
#include "ward.h"

#define SECONDS    3600
#define START_MS   INT64_C(1700000000000)
#define BYTES_MOST 3.0
#define SECS_MOST  2.0
#define TRY_LEAST  1000.0 /* x real time, of both sets together */
#define ROOMS_MAX  20

/* A room, and what became of its messages. */
struct taped {
    struct ward *ward;
    unsigned number;
    int64_t now_ms;
    struct recorder *recorder;
    uint64_t messages, payload_bytes;
};

static uint64_t position = 4096; /* of the next message in a spool that there is not */

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench-recording: %s\n", what);
    exit(2);
}

static bool on_send(void *user, const char *topic, const uint8_t *bytes, size_t length)
{
    struct taped *taped = user;
    taped->messages++;
    taped->payload_bytes += length;
    recorder_take(taped->recorder, &(struct recorder_message){.room = taped->number,
                                                              .topic = topic,
                                                              .topic_bytes = strlen(topic),
                                                              .payload = bytes,
                                                              .payload_bytes = length,
                                                              .received_ms = taped->now_ms,
                                                              .position = position,
                                                              .patient = true});
    position += 64 + length;
    return true;
}

static void play(struct taped *rooms, unsigned count, struct recorder *recorder)
{
    for (int64_t row = 0; row < (int64_t)SECONDS * WARD_RATE; row++) {
        int64_t at_ms = START_MS + row * 1000 / WARD_RATE;
        for (unsigned i = 0; i < count; i++) {
            rooms[i].now_ms = at_ms;
            ward_row(rooms[i].ward, row, at_ms);
        }
        if (row % (WARD_RATE / 4) == 0)
            recorder_tick(recorder, at_ms);
    }
}

static double thread_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Other rules beside the shipped ones: how many times as quick as the hour was it judged by both?
 * -1 where it failed. */
static double try_rules(const struct hub *hub, const char *file)
{
    char command[512], line[512];
    double speed = -1;
    snprintf(command, sizeof(command),
             "%s/daemon/lumbarctl rules try %s/config/rules.d --changes --config %s/lumbard.yaml "
             "--recording %s",
             hub->build, SOURCE_FOLDER, hub->folder, file);
    FILE *in = popen(command, "r");
    if (in == NULL)
        return -1;
    while (fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, " s, ");
        if (at != NULL && strstr(line, " x real time") != NULL) {
            speed = atof(at + strlen(" s, "));
            printf("  %s", line);
        }
    }
    return pclose(in) == 0 ? speed : -1;
}

/* Runs lumbarctl; the seconds that its last line tells, -1 where it failed. */
static double replay(const struct hub *hub, const char *file)
{
    char command[512], line[512];
    double seconds = -1;
    snprintf(command, sizeof(command),
             "%s/daemon/lumbarctl recording replay --config %s/lumbard.yaml %s", hub->build,
             hub->folder, file);
    FILE *in = popen(command, "r");
    if (in == NULL)
        return -1;
    while (fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, "replayed in ");
        if (at != NULL)
            seconds = atof(at + strlen("replayed in "));
        if (at != NULL || strstr(line, " messages: ") != NULL ||
            strstr(line, " alarms raised") != NULL)
            printf("  %s", line);
    }
    return pclose(in) == 0 ? seconds : -1;
}

static bool judge(const struct hub *hub, const struct taped *room, const struct tape_name *name)
{
    char path[512];
    struct stat status;
    snprintf(path, sizeof(path), "%s/%s", hub->recordings, name->file);
    if (stat(path, &status) != 0)
        give_up(path);
    double each = (double)status.st_size / (double)ward_samples(room->ward);
    printf("room %u: %llu samples (and %llu postures) in %llu messages, %llu bytes of payload; "
           "%lld bytes on disk\n  %.2f bytes a sample, at most %.1f: %s\n",
           room->number, (unsigned long long)ward_samples(room->ward),
           (unsigned long long)ward_states(room->ward), (unsigned long long)room->messages,
           (unsigned long long)room->payload_bytes, (long long)status.st_size, each, BYTES_MOST,
           each <= BYTES_MOST ? "met" : "not met");
    double seconds = replay(hub, name->file);
    bool quick = seconds >= 0 && seconds < SECS_MOST;
    printf("  replay of the hour: %.3f s, less than %.1f: %s\n", seconds, SECS_MOST,
           quick ? "met" : "not met");
    double speed = try_rules(hub, name->file);
    printf("  rules tried at %.0f x real time, at least %.0f: %s\n", speed, TRY_LEAST,
           speed >= TRY_LEAST ? "met" : "not met");
    return each <= BYTES_MOST && quick && speed >= TRY_LEAST;
}

static struct recorder *open_recorder(const struct hub *hub, unsigned rooms)
{
    static char names[ROOMS_MAX][16];
    const char *list[ROOMS_MAX];
    struct recorder *recorder;
    struct diag diag = {0};
    struct recorder_options options = {.folder = hub->recordings,
                                       .rooms = rooms,
                                       .days = 30,
                                       .size_bytes = UINT64_C(1) << 40,
                                       .patience_ms = 60000,
                                       .ring = 1,
                                       .head = UINT64_MAX};
    if (recorder_open(&recorder, &options, &diag) != 0 || recorder_start(recorder, &diag) != 0)
        give_up(diag.text);
    for (unsigned i = 0; i < rooms; i++) {
        snprintf(names[i], sizeof(names[i]), "room-%02u", i + 1);
        list[i] = names[i];
    }
    recorder_rooms(recorder, list, rooms);
    return recorder;
}

int main(int count, char **arguments)
{
    unsigned rooms = count > 1 ? (unsigned)atoi(arguments[1]) : 3;
    if (rooms < 1 || rooms > ROOMS_MAX)
        give_up("rooms are 1 to 20");
    struct hub hub = {.build = BUILD_FOLDER,
                      .plugins = BUILD_FOLDER "/plugins",
                      .broker_port = 1883,
                      .ring_size = "1 MiB",
                      .rules = SOURCE_FOLDER "/config/rules.d"};
    static struct taped taped[ROOMS_MAX];
    struct tape_name *list;
    size_t tapes;
    struct diag diag = {0};
    hub_prepare(&hub);
    struct recorder *recorder = open_recorder(&hub, rooms);
    for (unsigned i = 0; i < rooms; i++) {
        taped[i] = (struct taped){.number = i + 1, .recorder = recorder};
        taped[i].ward = ward_create(1, i + 1, on_send, &taped[i]);
    }
    double from = thread_s();
    play(taped, rooms, recorder);
    for (unsigned i = 0; i < rooms; i++)
        recorder_end(recorder, i + 1);
    recorder_close(recorder);
    printf("%u rooms, an hour each: made and recorded with %.1f s of a processor\n", rooms,
           thread_s() - from);
    if (tape_folder_list(hub.recordings, &list, &tapes, &diag) != 0 || tapes != rooms)
        give_up("there is not one tape a room");
    bool met = true;
    for (size_t i = 0; i < tapes; i++) /* of the same start: by name, as the rooms */
        met = judge(&hub, &taped[i], &list[i]) && met;
    for (unsigned i = 0; i < rooms; i++)
        ward_destroy(taped[i].ward);
    free(list);
    hub_clear(&hub, false);
    return met ? 0 : 1;
}
