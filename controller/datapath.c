/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* What forwards in a switch: see doc/fragments.md. */

#include "controller/ctl-private.h"

#include <string.h>

#include "controller/log.h"

VLOG_DEFINE_THIS_MODULE(datapath);

/* OpenFlow does not tell.  But a meter of Open vSwitch's own datapath has 8
 * bands, and one of the Linux kernel's 1 (dpif-netdev.c, net/openvswitch/
 * meter.h); a switch passes on what its datapath has. */
bool
switch_guess_datapath(const struct ctl_switch *sw, enum config_datapath *guess)
{
    bool known = !strcmp(sw->features.hardware, "Open vSwitch")
                 && sw->features.meter_bands;
    *guess = sw->features.meter_bands > 1 ? CONFIG_DATAPATH_NETDEV
                                          : CONFIG_DATAPATH_KERNEL;
    return known;
}

void
switch_check_datapath(const struct ctl_switch *sw)
{
    enum config_datapath said = config_get_datapath(sw->ctl->config, sw->dpid);
    enum config_datapath guess;
    if (switch_guess_datapath(sw, &guess) && guess != said) {
        VLOG_WARN(DPID_FMT ": its datapath looks like \"%s\", the "
                           "configuration says \"%s\": see 'ofmcastctl "
                           "doctor'",
                  sw->dpid, CONFIG_DATAPATH_NAMES[guess],
                  CONFIG_DATAPATH_NAMES[said]);
    }
}
