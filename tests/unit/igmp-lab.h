/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_IGMP_LAB_H
#define TESTS_UNIT_IGMP_LAB_H 1

/* A whole vlan on a virtual clock.  Frames go in as bytes, what comes out is
 * written down as text, one word an effect:
 *
 *     p2+226.2.2.2      membership of port 2 changed and it now gets packets
 *     p2-226.2.2.2      ... and it does not
 *     p2~226.2.2.2      ... and it gets some sources
 *     p3R  p3r          port 3 is, is not a router port any more
 *     p2!role           a guard refused something on port 2
 *     p2!!port-groups   ... is near its limit there
 *     h1:p2>p3:4        host 1 moved with 4 groups
 *     querier  quiet    we are, are not the querier any more
 *     *?                general query to all ports
 *     p2?               general query to port 2
 *     p2?226.2.2.2      group-specific, ",S1,S2" for sources, "/S" for the
 *                       S flag, "@1" to host 1 alone
 *     p3!TO_EX:226.2.2.2,S1|IS_IN:...
 *                       report to port 3; "v2:", "v1:" or "leave:" and the
 *                       group if it is of an older version */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "igmp/igmp-snoop.h"

#define A  "10.9.0.1" /* Sources. */
#define B  "10.9.0.2"
#define G  "226.2.2.2" /* Groups. */
#define G2 "239.1.1.1"
enum { SECOND = 1000, GMI = 260 * SECOND, START = 5000 };

struct fixture {
    struct igmp_snoop *s;
    struct igmp_config config;
    /* Of ports 0 to 15; NULL: the default. */
    const struct igmp_port_config *settings[16];
    int64_t now;
    char log[4096];
    struct igmp_msg sent; /* Last. */
    unsigned int n_sent;
    uint8_t sent_bytes[1600];
};

/* Values. */
struct ip_addr ip(const char *s);
struct port_id port(unsigned int n);
const char *port_name(const struct port_id *id);

/* Default configuration, our address 10.1.0.1, start-up burst over; reports
 * are relayed, not proxied. */
int setup(void **state);
int teardown(void **state);
/* Starts anew with 'f->config', at once. */
void restart(struct fixture *f, uint16_t vlan);
/* In steps of the deadlines, as the event loop goes. */
void advance(struct fixture *f, int64_t ms);
/* What happened since the last call. */
void check_log(struct fixture *f, const char *want);

/* What hosts and routers say.  Host n is 10.1.0.(100+n), MAC 02:..:n; where
 * the configuration is of IPv6, fe80::(100+n). */
enum igmp_error input(struct fixture *f, unsigned int from,
                      const uint8_t *frame, size_t size);
struct igmp_report report_of(unsigned int host, int version);
enum igmp_error say(struct fixture *f, unsigned int from,
                    const struct igmp_report *report);
void join(struct fixture *f, unsigned int from, unsigned int host, int version,
          const char *group);
void leave(struct fixture *f, unsigned int from, unsigned int host,
           int version, const char *group);
enum igmp_error record(struct fixture *f, unsigned int from, uint8_t type,
                       const char *group, const char *s1, const char *s2);
/* A record with one or two sources (NULL: none). */
enum igmp_error tell(struct fixture *f, unsigned int from, unsigned int host,
                     uint8_t type, const char *group, const char *s1,
                     const char *s2);
struct igmp_query query_from(const char *address);
enum igmp_error ask(struct fixture *f, unsigned int from,
                    const struct igmp_query *q);

/* What came of it. */
bool forwards(const struct fixture *f, unsigned int to, const char *source,
              const char *group);
/* " p2 p3@1": one for all of port 2, one for host 1 on port 3. */
void check_copies(const struct fixture *f, const char *source,
                  const char *group, const char *want);
bool put_port(void *text, const struct port_id *id);
struct igmp_msg report_msg(int version, bool leaving, const char *group);

#endif
