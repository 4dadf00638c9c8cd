#include "rules.h"

#include "ctl.h"

static const struct ctl_command commands[] = {
    {"test", "[--config FILE | --plugins FOLDER] FILE ...",
     "plays written series against rules: do the alarms stand that should?", rules_test},
    {"try", "RULES [--config FILE] --recording NAME ... | --session ID | --all",
     "judges recordings by other rules, beside the present ones", rules_try},
};

int ctl_rules(int count, char **arguments)
{
    return ctl_run("lumbarctl rules", commands, sizeof(commands) / sizeof(commands[0]), count,
                   arguments);
}
