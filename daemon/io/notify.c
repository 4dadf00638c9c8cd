#include "io/notify.h"
