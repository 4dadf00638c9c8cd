#include "io/mqtt.h"
