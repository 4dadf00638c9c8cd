#include "io/quarantine.h"
