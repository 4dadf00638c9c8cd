#include "base/ring.h"
