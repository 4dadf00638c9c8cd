#include "core/topic.h"
