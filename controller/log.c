/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/log.h"

#include <openvswitch/util.h>

void
log_init(const char *program, const char *version, bool verbose)
{
    ovs_set_program_name(program, version);
    vlog_set_pattern(VLF_CONSOLE, "%D{%Y-%m-%dT%H:%M:%S.###Z} %-5p %c: %m");
    vlog_set_levels(NULL, VLF_SYSLOG, VLL_OFF);
    vlog_set_levels(NULL, VLF_CONSOLE, verbose ? VLL_DBG : VLL_INFO);
}
