/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* A configuration file.  What is accepted must keep what the rest of the
 * program takes for granted; what is refused must say where and why. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
check_vlan(const struct config_vlan *vlan)
{
    const struct igmp_config *igmp = &vlan->igmp[IGMP_IPV4];

    check(vlan->vlan <= 4094);
    check(igmp->version >= 1 && igmp->version <= 3);
    check(igmp->query_interval > igmp->query_response_interval);
    check(igmp->query_response_interval > 0);
    check(igmp->last_member_interval > 0 && igmp->last_member_count > 0);
    check(igmp->robustness >= 1 && igmp->robustness <= 7);
    check(igmp_config_membership_interval(igmp) > igmp->query_interval);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[CONFIG_ERROR_SIZE];
    struct config *config =
        config_parse("f.yaml", (const char *) data, size, error);

    if (!config) {
        check(!strncmp(error, "f.yaml:", 7));
        check(strlen(error) > 10 && strlen(error) < sizeof error);
        return 0;
    }
    check(!*error && *config->state_dir && config->probe_interval > 0);
    check(*config->openflow.host && *config->api.host);
    check_vlan(&config->vlan_default);
    for (size_t i = 0; i < config->n_vlans; i++) {
        check_vlan(&config->vlans[i]);
        check(!i || config->vlans[i - 1].vlan < config->vlans[i].vlan);
        check(config_get_vlan(config, config->vlans[i].vlan)
              == &config->vlans[i]);
    }
    config_destroy(config);
    return 0;
}
