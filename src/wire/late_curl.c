#include "config.h"

#include "wire/late_curl.h"

LATE_LIBRARY(late_curl, LATE_CURL, SC_LATE_CURL)
