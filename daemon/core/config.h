/*
 * The configuration: YAML into one struct, by one table of options (options.c).
 *
 * The same table parses, gives defaults, refuses unknown keys with the nearest known one, prints
 * `lumbard --options`, and says what a reload may change. Every complaint names file, line and
 * column. Pure: the text is given; relative paths are kept as they stand.
 * Memory: a struct config owns all its strings; nothing in it changes after parsing.
 */
#ifndef LUMBAR_CORE_CONFIG_H
#define LUMBAR_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define CONFIG_ROOMS_MAX        200
#define CONFIG_ROOM_DEVICES_MAX 16

struct yaml;

struct config_room {
    const char *name;                             /* a label: stands in alarm topics */
    const char *title;                            /* what people read; the name if not set */
    const char *devices[CONFIG_ROOM_DEVICES_MAX]; /* "posture/p-01": kind and device */
    struct config_place {
        int line, column;
    } device_places[CONFIG_ROOM_DEVICES_MAX]; /* where they stand, for complaints made later */
    uint32_t device_count;
    bool automatic;   /* a device that works opens a session */
    const char *plan; /* by this plan; "" without */
    int line, column; /* where the room stands */
};

struct config {
    const char *clinic; /* shown on top of the page */
    bool accounts;      /* who asks has to log in */

    struct {
        const char *host; /* an address, or a name in /etc/hosts */
        int64_t port;
        const char *client_id;     /* fixed, so that the broker keeps the session */
        const char *username;      /* "" without */
        const char *password_file; /* first line; "" without */
        bool tls;
        const char *ca_file, *certificate_file, *key_file; /* PEM; "" without */
    } broker;

    struct {
        const char *listen; /* a loopback address, or with TLS any */
        int64_t port;       /* 0: any free one */
        const char *host;   /* more Host names that are taken, "" none */
        const char *origin; /* and Origins, "" none */
        int64_t clients;    /* sockets at most */
        bool tls;
        const char *certificate_file, *key_file; /* PEM; "": own_certificate */
        const char *own_certificate;
    } web;

    struct {
        const char *socket; /* path; "" none */
        const char *group;  /* "" our own */
    } api;

    struct {
        const char *ring;   /* file in tmpfs */
        const char *copy;   /* file on disk */
        int64_t size_bytes; /* of each */
        int64_t sync_ms, held_ms, patience_ms;
    } spool;

    struct {
        const char *file;
        int64_t size_bytes;
    } quarantine;

    struct {
        const char *folder;
        bool always;        /* rooms are recorded without a session, too */
        int64_t days;       /* kept so long */
        int64_t size_bytes; /* and so many of them */
    } recorder;

    struct {
        const char *file;
        int64_t memory_bytes;               /* of what is gathered; there are two */
        int64_t seconds_days, minutes_days; /* kept so long; minutes 0: for ever */
        int64_t sessions_days, alarms_days; /* 0: for ever */
        int64_t audit_days;                 /* the same */
        int64_t size_bytes;                 /* of the file's content */
    } history;

    struct {
        int64_t size_bytes; /* of history, recordings and backups together; 0: each has its own */
    } storage;

    struct {
        const char *folder; /* seen from that of history.file */
        int64_t every_ms;   /* 0: only by hand */
        int64_t keep, size_bytes;
    } backup;

    struct {
        const char *folder;
    } plugins;

    struct {
        int64_t max;        /* devices known at a time */
        int64_t rate_per_s; /* messages of one device */
        int64_t ack_ms;     /* acknowledged at most so often */
    } devices;

    struct {
        int64_t size_bytes; /* memory of the last minutes */
    } feed;

    struct {
        const char *folder;  /* *.yaml in it, in the order of their names; "" none */
        const char *changes; /* file of what the page changes of them; "" none, it changes none */
    } rules;

    struct {
        int64_t flood; /* more that begin within ten minutes are one */
    } alarms;

    struct {
        const char *url;        /* "" none */
        const char *token_file; /* first line; "" without */
        const char *ca_file;    /* PEM; "" the system's */
    } webhook;

    struct {
        const char *folder; /* *.yaml in it are templates; "" none */
    } plans;

    struct {
        int64_t idle_ms;    /* ended after so long without work */
        int64_t amend_days; /* so long more may be said of one that is over */
    } sessions;

    struct {
        int64_t neutral_ms; /* a neutral posture holds so long */
        int64_t range_days; /* an own range so long */
    } calibration;

    struct config_room rooms[CONFIG_ROOMS_MAX];
    uint32_t room_count;

    struct yaml *text; /* owned: strings and places */
};

/* A whole configuration from YAML text of the named file. */
int config_parse(struct config **out, const char *file, const char *text, size_t bytes,
                 struct diag *diag);
void config_destroy(struct config *config);

/* The file that it was read from, as it was named. */
const char *config_file(const struct config *config);

/* Complains of an option ("broker.port") where it stands in the file, or of the file alone where it
 * has its default. Returns the code. */
int config_complain(const struct config *config, const char *option, struct diag *diag, int code,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What an option is where nothing is said of it. */
const char *config_default(const char *option);

/* Each option that is another in b, as it is written there and in a, or its default. */
typedef void config_differs_cb(void *user, const char *option, const char *in_a, const char *in_b,
                               bool reloadable);
void config_compare(const struct config *a, const struct config *b, config_differs_cb *each,
                    void *user);

/* Could a running hub go from old to new? Names the first option that needs a restart. */
int config_check_reload(const struct config *old, const struct config *fresh, struct diag *diag);

/* The reference: every option with type, range, default, unit, whether reloadable, and help. */
void config_print_options(FILE *out);

#endif
