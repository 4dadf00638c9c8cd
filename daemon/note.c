/* What the recorder is told besides messages: notes of core/tape_note.h. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/tape_note.h"
#include "hub.h"
#include "io/session_text.h"

#define ACCOUNT_PARTS 32

/* Has what a note says changed, since the last one of this session (0: of none)? */
static bool is_due(struct hub_noted *noted, uint64_t session, uint64_t change, int64_t now_ms)
{
    if (noted->session == session && noted->change == change && now_ms >= noted->at_ms &&
        now_ms - noted->at_ms < NOTE_EACH_MS)
        return false;
    noted->session = session;
    noted->change = change;
    noted->at_ms = now_ms;
    return true;
}

/* A note is of no place of the spool: it stands behind that of the message before it. */
static void put(struct lumbard *hub, const struct recorder_message *before, const char *topic,
                const struct text *text)
{
    struct recorder_message note = *before;
    if (text->cut || text->length == 0)
        return;
    note.topic = topic;
    note.topic_bytes = strlen(topic);
    note.payload = (const uint8_t *)text->at;
    note.payload_bytes = text->length;
    note.position = before->position + 1;
    recorder_take(hub->recorder, &note);
}

/* False: it is longer than a recording takes. */
static bool put_account(struct lumbard *hub, const struct recorder_message *before,
                        const char *account)
{
    size_t length = strlen(account);
    unsigned parts = (unsigned)((length + NOTE_PIECE - 1) / NOTE_PIECE);
    for (unsigned part = 0; part < parts && parts <= ACCOUNT_PARTS; part++) {
        char bytes[NOTE_PIECE + 64];
        struct text text = text_in(bytes, sizeof(bytes));
        size_t from = (size_t)part * NOTE_PIECE;
        note_write_account(&text, &(struct note_account){.session = before->session,
                                                         .part = part,
                                                         .parts = parts,
                                                         .text = account + from,
                                                         .bytes = length - from < NOTE_PIECE
                                                                      ? length - from
                                                                      : NOTE_PIECE});
        put(hub, before, NOTE_ACCOUNT, &text);
    }
    return parts <= ACCOUNT_PARTS;
}

/* With what is accounted up to then; when nothing else changes, that alone is not noted. */
static void note_account(struct lumbard *hub, const struct recorder_message *before)
{
    struct hub_noted *noted = &hub->noted_rooms[before->room];
    const struct session *session = sessions_at(hub->ingest.sessions, before->room);
    if (before->session == 0 || session == NULL || session->id != before->session ||
        (noted->account_of == session->id && noted->account == session->change))
        return;
    const struct store_clinic clinic = hub_clinic(hub);
    char *account = session_text_write(session, &clinic);
    noted->account_of = session->id;
    noted->account = session->change;
    if (account == NULL || !put_account(hub, before, account))
        log_error("session %llu: its account does not come on its recording",
                  (unsigned long long)session->id);
    free(account);
}

static void note_session(struct lumbard *hub, const struct recorder_message *before)
{
    char bytes[NOTE_BYTES];
    struct text text = text_in(bytes, sizeof(bytes));
    struct hub_noted *noted = &hub->noted_rooms[before->room];
    const struct session *session = sessions_at(hub->ingest.sessions, before->room);
    if (before->session == 0 || session == NULL ||
        !is_due(noted, before->session, session->change, before->received_ms))
        return;
    note_write_session(&text, hub->ingest.sessions, before->room, &hub->setup.drivers);
    put(hub, before, NOTE_SESSION, &text);
}

static void note_neutral(struct lumbard *hub, const struct recorder_message *before,
                         const struct device *device)
{
    char bytes[NOTE_BYTES];
    struct text text = text_in(bytes, sizeof(bytes));
    struct hub_noted *noted = &hub->noted_devices[device->id];
    const struct neutral *neutral = calibration_neutral(hub->ingest.calibration, device->id);
    if (neutral == NULL || (neutral->zero.taken_ms == 0 && noted->at_ms == 0) ||
        !is_due(noted, before->session, calibration_changed(hub->ingest.calibration, device->id),
                before->received_ms))
        return;
    note_write_neutral(&text, device, &neutral->zero);
    put(hub, before, NOTE_NEUTRAL, &text);
}

void hub_note(struct lumbard *hub, const struct recorder_message *message,
              const struct device *device)
{
    hub->noted_rooms[message->room].position = message->position;
    note_session(hub, message);
    note_account(hub, message);
    note_neutral(hub, message, device);
}

void hub_note_change(struct lumbard *hub, const struct session *session)
{
    const struct hub_noted *noted = &hub->noted_rooms[session->room];
    struct recorder_message before = {.room = session->room,
                                      .session = session->id,
                                      .received_ms = hub_now_ms(hub),
                                      .position = noted->position};
    if (session->ended_ms == 0 && (noted->session != session->id || hub->reloading))
        return; /* its tape is not begun: it will be told behind the first message */
    if (session->ended_ms == 0) {
        note_session(hub, &before);
        note_account(hub, &before);
    } else if (session->started_ms != 0 && spool_done(hub->spool) > 2) {
        before.position = spool_done(hub->spool) - 2; /* behind all that was recorded */
        note_account(hub, &before);
    }
}
