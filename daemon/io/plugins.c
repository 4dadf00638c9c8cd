#include "io/plugins.h"
