#include "core/devices.h"
