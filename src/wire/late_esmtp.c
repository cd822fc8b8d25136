#include "config.h"

#include "wire/late_esmtp.h"

LATE_LIBRARY(late_esmtp, LATE_ESMTP, SC_LATE_ESMTP)
