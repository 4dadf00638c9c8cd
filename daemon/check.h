/*
 * What a check looks at beyond configuration, plugins and rules: every file and folder that a start
 * would open, and what it must be able to do there. Each complaint names the option's place.
 *
 * Makes nothing, locks nothing and connects to nothing, so it may be done beside a running hub. It
 * judges for the user that it runs as.
 */
#ifndef LUMBAR_CHECK_H
#define LUMBAR_CHECK_H

#include <stdio.h>

#include "base/err.h"
#include "core/config.h"

struct setup;

/* All of it, of a configuration that was loaded. */
int check_setup(const struct setup *setup, struct diag *diag);

/* Loads it first, and prints what it is to `out` (NULL: nowhere). Not 0 without a complaint:
 * plugins were refused, each said in the log. */
int check_config(const char *config_file, FILE *out, struct diag *diag);

/* The password and the files for TLS: can they be read, and do they fit each other? */
int check_broker(const struct config *config, struct diag *diag);

/* Its address, its token's file and its certificates. */
/* The page's certificate and key; one of the hub's own is not made. */
int check_certificate(const struct config *config, struct diag *diag);

int check_webhook(const struct config *config, struct diag *diag);

/* Spool, quarantine, recordings, history and the socket: can they be written where they shall be?
 */
int check_places(const struct config *config, struct diag *diag);

#endif
