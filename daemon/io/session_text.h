/*
 * A session as a text, and back: all that the store has of it, for its recording
 * (core/tape_note.h).
 *
 * The rows of its tables by the names of their columns, as JSON; so a text outlives changes of the
 * schema: a column that it has not is empty, and one that is no longer there is passed over. It
 * names nobody: the client is a number, which holds where the client of that number was entered at
 * the same time. Whatever it says is believed only as far as session_read() does.
 */
#ifndef LUMBAR_IO_SESSION_TEXT_H
#define LUMBAR_IO_SESSION_TEXT_H

#include "core/sessions.h"
#include "io/store_rows.h"

/* free() it; NULL: there is no memory for it. */
char *session_text_write(const struct session *session, const struct store_clinic *clinic);

struct session_text;

/* ERR_MALFORMED: it is none, or not of this session. Destroy it. */
int session_text_read(struct session_text **out, uint64_t session, const char *text, size_t bytes,
                      const struct drivers *drivers, const struct body *body, struct diag *diag);
void session_text_destroy(struct session_text *text);

/* Puts times of a wrong clock right, as those of what lies at this place of the tape. */
struct tape_moves;
void session_text_move(struct session_text *text, const struct tape_moves *moves, uint64_t place);

struct session_text_facts {
    enum session_state state;
    int64_t opened_ms, ended_ms; /* 0: it goes on */
    uint32_t notes;
    uint64_t client;   /* its number, 0: nobody; */
    int64_t client_ms; /* and when it was entered */
};
void session_text_facts(const struct session_text *text, struct session_text_facts *facts);

/* Its rows, for a store. What went on when it was written ended at ended_ms. */
typedef void session_text_row(void *user, enum store_table table, const struct store_value *row,
                              unsigned count);
void session_text_rows(const struct session_text *text, int64_t ended_ms, session_text_row *each,
                       void *user);

#endif
