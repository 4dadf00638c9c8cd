#include "core/alarms.h"
