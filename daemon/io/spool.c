#include "io/spool.h"
