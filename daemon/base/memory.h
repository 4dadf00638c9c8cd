/*
 * What the process holds of the machine's memory. The gateway is small and runs for years: what
 * only the start needed is given back after it.
 */
#ifndef LUMBAR_BASE_MEMORY_H
#define LUMBAR_BASE_MEMORY_H

#include <stddef.h>

/* Before anything large is allocated. From here on each block of 64 KiB or more is mapped by
 * itself: it costs what is touched of it, and is given back whole. glibc would raise that bound to
 * the largest block freed so far, and then clear the tables that are made for the worst case. All
 * threads share one heap: what they have of their own is never given back. */
void memory_begin(void);

/* The process holds passwords and keys: a crash of it leaves no picture of its memory behind, and
 * nobody without privileges may look into it, another process of the same user as little. First of
 * all. */
void memory_keep_secrets(void);

/* After the start: gives back what the heap has free, and the pages of code and constants of the
 * program and its libraries. They are the files' own; what is still needed of them comes back at
 * its next use, from the page cache. */
void memory_give_back(void);

/* What stands in it is of no use any more: its whole pages are given back, and are zeros or what
 * was there before at their next use. Nobody else may use the block meanwhile. */
void memory_forget(void *block, size_t bytes);

#endif
