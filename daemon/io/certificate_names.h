/*
 * The names for which the hub signs a certificate of its own: what a browser on the clinic's
 * network may call this machine. Blocks no longer than to look at the interfaces.
 */
#ifndef LUMBAR_IO_CERTIFICATE_NAMES_H
#define LUMBAR_IO_CERTIFICATE_NAMES_H

#define CERTIFICATE_NAMES_BYTES 4096

/* Writes "DNS:hub,DNS:localhost,IP:127.0.0.1,..." of those that are configured (with commas
 * between, ports are dropped), of the machine's name and of the addresses that it has; and the
 * first of them, for people. What is no name is left out; what has no room as well. */
void certificate_names(const char *configured, char out[CERTIFICATE_NAMES_BYTES], char first[256]);

#endif
