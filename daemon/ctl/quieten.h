/* What would quieten a rule, tried on recordings and not guessed. */
#ifndef LUMBAR_CTL_QUIETEN_H
#define LUMBAR_CTL_QUIETEN_H

/* Prints which on-delay, and which deadband, would have halved the alarms of a rule of this
 * configuration on the recordings of its folder. Returns the exit code. */
int quieten(const char *config_file, const char *rule);

#endif
