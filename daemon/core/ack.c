#include "core/ack.h"
