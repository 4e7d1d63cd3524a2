/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/sim/sim-case.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "controller/json.h"
#include "controller/route.h"
#include "igmp/igmp-msg.h"
#include "lib/xalloc.h"
#include "tests/sim/sim-frame.h"
#include "tests/sim/sim-net.h"

void
sim_case_setup(struct sim_case *r, const char *yaml)
{
    memset(r, 0, sizeof *r);
    r->enters_at = 1;
    sim_net_init(&r->net, yaml, 2, SIM_CASE_PORTS);
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&r->net.switches[i]);
    }
    assert_true(sim_net_settle(&r->net));
}

static bool
is_answered(void *r_)
{
    const struct sim_case *r = r_;

    return r->answered;
}

void
sim_case_written(void *r_, const struct ctl_result *result)
{
    struct sim_case *r = r_;

    r->answered = true;
    r->outcome = result->outcome;
}

enum ctl_outcome
sim_case_wait_written(struct sim_case *r)
{
    assert_true(sim_net_wait(&r->net, is_answered, r, SIM_CASE_WAIT_MS));
    assert_true(sim_net_settle(&r->net));
    return r->outcome;
}

enum ctl_outcome
sim_case_put_route(struct sim_case *r, const char *name, const char *text)
{
    struct json_error error = {.failed = false};
    struct cJSON *json = json_parse(text, strlen(text), &error);
    struct route *route = json ? route_from_json(name, json, &error) : NULL;

    if (!route) {
        fail_msg("%s: %s %s", text, error.pointer, error.detail);
    }
    r->answered = false;
    ctl_route_put(r->net.ctl, route, CTL_WAIT_APPLIED, SIM_CASE_WAIT_MS,
                  sim_case_written, r);
    route_destroy(route);
    cJSON_Delete(json);
    return sim_case_wait_written(r);
}

struct ip_addr
sim_case_address(const char *text)
{
    struct ip_addr a;

    assert_true(ip_addr_parse(text, &a));
    return a;
}

/* A host behind 'port'; 'source' "" is any. */
void
sim_case_say(struct sim_case *r, uint32_t port, uint16_t host,
             const char *group, const char *source, bool leave)
{
    struct ip_addr s = source[0] ? sim_case_address(source) : IP_ADDR_ANY;
    struct igmp_report_record record = {
        .type = (source[0] != '\0') == !leave ? IGMP_MODE_IS_INCLUDE
                                              : IGMP_MODE_IS_EXCLUDE,
        .group = sim_case_address(group),
        .sources = &s,
        .n_sources = source[0] && !leave,
    };
    struct igmp_report msg = {
        .version = 3,
        .eth_src = {{2, 0, 0, (uint8_t) (host >> 8), (uint8_t) host,
                     (uint8_t) port}},
        .vlan = r->vlan,
        .ip_src = ip_addr_v4(0x0a010000 + port),
        .records = &record,
        .n_records = 1,
    };
    uint8_t frame[256];

    if (leave) {
        record.type = IGMP_CHANGE_TO_INCLUDE;
    }
    size_t size = igmp_report_encode(&msg, frame, sizeof frame);

    assert_true(size > 0);
    fake_switch_packet(r->net.switches[r->hosts_at].fake, port, frame, size,
                       NULL, NULL);
}

void
sim_case_report_of(struct sim_case *r, uint32_t port, uint16_t host,
                   const char *group, const char *source, bool leave)
{
    sim_case_say(r, port, host, group, source, leave);
    assert_true(sim_net_settle(&r->net));
}

void
sim_case_report(struct sim_case *r, uint32_t port, const char *group,
                const char *source, bool leave)
{
    sim_case_report_of(r, port, 0, group, source, leave);
}

void
sim_case_join(struct sim_case *r, uint32_t port, const char *group)
{
    sim_case_report(r, port, group, "", false);
}

size_t
sim_case_build(const struct sim_case *r, const char *source, const char *group,
               uint8_t *frame)
{
    return sim_frame_build(
        &(struct sim_frame){.source = sim_case_address(source),
                            .group = sim_case_address(group),
                            .vlan = r->vlan,
                            .udp_dst = 5004,
                            .ttl = 1},
        frame);
}

/* Collects "PORT/TTL ", of copies for one host "PORT:HOST/TTL ". */
static void
got_copy(void *text_, uint32_t port, const void *frame_, size_t size)
{
    const uint8_t *frame = frame_;
    char *text = text_;

    assert_true(size > 22);
    if (port != FAKE_PORT_CONTROLLER) {
        sprintf(text + strlen(text), "%s%u", text[0] ? " " : "", port);
        if (frame[0] == 2) {
            sprintf(text + strlen(text), ":%u", frame[4]);
        }
        sprintf(text + strlen(text), "/%u",
                frame[frame[12] == 0x81 ? 26 : 22]);
    }
}

/* Where a packet that enters the first switch comes out, and with which
 * TTL. */
void
sim_case_expect_copies(struct sim_case *r, const char *source,
                       const char *group, const char *want)
{
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_case_build(r, source, group, frame);
    char got[256] = "";

    fake_switch_probe(r->net.switches[0].fake, r->enters_at, frame, size,
                      got_copy, got);
    assert_string_equal(got, want);
}

void
sim_case_send_packet(struct sim_case *r, const char *source, const char *group)
{
    uint8_t frame[SIM_FRAME_SIZE];
    size_t size = sim_case_build(r, source, group, frame);

    fake_switch_packet(r->net.switches[0].fake, r->enters_at, frame, size,
                       NULL, NULL);
    assert_true(sim_net_settle(&r->net));
}

/* Of flows and groups. */
uint64_t
sim_case_n_mods(const struct sim_case *r)
{
    uint64_t n = 0;

    for (int i = 0; i < 2; i++) {
        struct fake_switch_counters c;

        fake_switch_counters(r->net.switches[i].fake, &c);
        n += c.n_mods - c.mods[FAKE_METER_MOD];
    }
    return n;
}

static bool
append_status(void *r_, const struct view_rule *rule)
{
    struct sim_case *r = r_;

    for (size_t i = 0; i < rule->n_statuses; i++) {
        size_t n = strlen(r->text);

        snprintf(r->text + n, sizeof r->text - n, "%s%" PRIu64 ":%s",
                 i ? " " : "", rule->statuses[i].dpid,
                 view_state_name(rule->statuses[i].state));
    }
    return true;
}

void
sim_case_expect_status(struct sim_case *r, const char *name, const char *want)
{
    r->text[0] = '\0';
    assert_true(view_route(r->net.ctl, name, append_status, r));
    assert_string_equal(r->text, want);
}

static bool
append_stream(void *r_, const struct view_stream *s)
{
    struct sim_case *r = r_;
    size_t n = strlen(r->text);
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN];

    snprintf(r->text + n, sizeof r->text - n, "%s%s>%s", n ? " " : "",
             ip_addr_format(&s->source, source),
             ip_addr_format(&s->group, group));
    return true;
}

void
sim_case_expect_streams(struct sim_case *r, const char *want)
{
    r->text[0] = '\0';
    view_streams(r->net.ctl, append_stream, r);
    assert_string_equal(r->text, want);
}

void
sim_case_restart(struct sim_case *c)
{
    sim_net_restart_controller(&c->net);
    for (int i = 0; i < 2; i++) {
        sim_net_connect(&c->net.switches[i]);
    }
    assert_true(sim_net_settle(&c->net));
}

void
sim_case_refuse_to_store(bool refuse)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = refuse ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
