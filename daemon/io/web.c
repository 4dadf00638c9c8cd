#include "io/web.h"
