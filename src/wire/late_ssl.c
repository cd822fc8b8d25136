#include "config.h"

#include "wire/late_ssl.h"

LATE_LIBRARY(late_ssl, LATE_SSL, SC_LATE_SSL)
