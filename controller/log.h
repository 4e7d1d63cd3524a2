/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_LOG_H
#define CONTROLLER_LOG_H 1

/* Logging: libopenvswitch's vlog, which would log by itself anyway, so that
 * there is one system and not two.  controller/ and api/ only; what a peer can
 * provoke is logged with a rate limit (VLOG_*_RL). */

#include <stdbool.h>

#include <openvswitch/vlog.h>

/* To stderr, information and above; everything if 'verbose'. */
void log_init(const char *program, const char *version, bool verbose);

#endif
