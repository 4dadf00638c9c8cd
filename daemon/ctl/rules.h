/*
 * lumbarctl rules: what its commands share. They work on files, whether a hub runs or not.
 */
#ifndef LUMBAR_CTL_RULES_H
#define LUMBAR_CTL_RULES_H

int rules_test(int count, char **arguments);
int rules_try(int count, char **arguments);

#endif
