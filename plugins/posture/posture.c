#include "lumbar/plugin.h"
