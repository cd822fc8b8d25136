#include "config.h"

#include "document/late_gmime.h"

LATE_LIBRARY(late_gmime, LATE_GMIME, SC_LATE_GMIME)
