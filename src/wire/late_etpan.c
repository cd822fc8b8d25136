#include "config.h"

#include "wire/late_etpan.h"

LATE_LIBRARY(late_etpan, LATE_ETPAN, SC_LATE_ETPAN)
