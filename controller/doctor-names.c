/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What the doctor looks for, by name. */

#include "controller/doctor.h"

const struct doctor_check DOCTOR_CHECKS[DOCTOR_N_CHECKS] = {
    {"D1", "no-querier", "a vlan with members that nobody queries"},
    {"D2", "querier-address", "a querier whose address hosts may not believe"},
    {"D3", "two-queriers", "two queriers, or an election that goes on"},
    {"D4", "mixed-versions", "versions of IGMP or MLD that do not fit"},
    {"D5", "querier-timers", "another querier with other timers"},
    {"D6", "shared-mac", "groups that hosts or switches cannot tell apart"},
    {"D7", "ttl", "a stream whose TTL ends before it arrives"},
    {"D8", "foreign-source", "a source that hosts' reverse path checks drop"},
    {"D9", "no-counterpart", "members without a source, or the reverse"},
    {"D10", "fragments", "fragments of a stream that is rewritten"},
    {"D11", "mtu", "frames that are too long for where they go"},
    {"D12", "group-size", "copies that are too many for the switch"},
    {"D13", "receive-buffer", "receive buffers too small for bursts"},
    {"D14", "missing", "ports and switches that are down or missing"},
    {"D15", "duplicate-source", "one source on two ports, copies twice"},
    {"D16", "suppression", "hosts silenced by the reports of others"},
    {"D17", "route-cycle", "routes that feed each other"},
    {"D18", "upstream-silent", "a group asked for upstream that stays away"},
    {"D19", "bad-messages", "IGMP or MLD messages that were not taken"},
    {"D20", "link-local", "a rule for link-local groups"},
    {"D21", "datapath", "a switch with another datapath than configured"},
    {"D22", "port-losses", "ports that drop packets"},
};

const char *
doctor_severity_name(enum doctor_severity severity)
{
    static const char *const names[] = {[DOCTOR_NOTE] = "note",
                                        [DOCTOR_WARNING] = "warning",
                                        [DOCTOR_ERROR] = "error"};
    return names[severity];
}
