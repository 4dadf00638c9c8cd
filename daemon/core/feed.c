#include "core/feed.h"
