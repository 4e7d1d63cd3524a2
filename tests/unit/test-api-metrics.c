/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/api-metrics.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/stub-ctl.h"

enum { MAX_METRICS = 100, NAME_SIZE = 128 };

struct parsed {
    char names[MAX_METRICS][NAME_SIZE];
    char types[MAX_METRICS][16];
    size_t n, n_samples;
};

static void
assert_name(const char *name)
{
    assert_true(strncmp(name, "ofmcast_", 8) == 0);
    for (const char *p = name; *p; p++) {
        assert_true(islower((unsigned char) *p) || isdigit((unsigned char) *p)
                    || *p == '_');
    }
}

/* name="value"[,...]} : quotes closed, no line break, no raw backslash. */
static const char *
skip_labels(const char *p)
{
    while (*p != '}') {
        while (islower((unsigned char) *p) || *p == '_') {
            p++;
        }
        assert_true(p[0] == '=' && p[1] == '"');
        for (p += 2; *p != '"'; p++) {
            assert_true(*p && *p != '\\' && *p != '\n');
        }
        p++;
        p += *p == ',';
    }
    return p + 1;
}

/* A sample belongs to the metric announced last. */
static void
parse_sample(struct parsed *m, const char *line)
{
    char name[NAME_SIZE];
    char *end;
    size_t length = strcspn(line, "{ ");

    snprintf(name, sizeof name, "%.*s", (int) length, line);
    assert_name(name);
    assert_true(m->n > 0);
    assert_string_equal(name, m->names[m->n - 1]);
    const char *p = line + length;
    if (*p == '{') {
        p = skip_labels(p + 1);
    }
    assert_int_equal(*p, ' ');
    strtod(p + 1, &end);
    assert_true(end > p + 1 && !*end);
    m->n_samples++;
}

static void
parse_line(struct parsed *m, const char *line)
{
    char name[NAME_SIZE], type[16];

    if (!strncmp(line, "# HELP ", 7)) {
        assert_int_equal(sscanf(line, "# HELP %127s", name), 1);
        assert_true(strlen(line) > 8 + strlen(name));
        for (size_t i = 0; i < m->n; i++) {
            assert_string_not_equal(name, m->names[i]); /* Once only. */
        }
        assert_true(m->n < MAX_METRICS);
        strcpy(m->names[m->n++], name);
    } else if (!strncmp(line, "# TYPE ", 7)) {
        assert_int_equal(sscanf(line, "# TYPE %127s %15s", name, type), 2);
        assert_string_equal(name, m->names[m->n - 1]);
        assert_true(!strcmp(type, "gauge") || !strcmp(type, "counter"));
        /* The naming rules: a counter, and nothing else, is a _total. */
        size_t length = strlen(name);
        bool total = length > 6 && !strcmp(name + length - 6, "_total");
        assert_int_equal(total, !strcmp(type, "counter"));
        strcpy(m->types[m->n - 1], type);
    } else {
        parse_sample(m, line);
    }
}

static struct parsed
parse(struct ctl *ctl)
{
    struct parsed m = {.n = 0};
    size_t size;
    char *text = api_metrics(ctl, &size);
    char *save = NULL;

    assert_int_equal(strlen(text), size);
    assert_int_equal(text[size - 1], '\n');
    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        parse_line(&m, line);
    }
    free(text);
    return m;
}

static void
test_format(void **state)
{
    struct ctl *ctl = stub_ctl_create();
    struct parsed m = parse(ctl);

    (void) state;
    assert_true(m.n > 20);
    for (size_t i = 0; i < m.n; i++) {
        assert_true(*m.types[i]);
    }
    stub_ctl_destroy(ctl);
}

static void
assert_has(const char *text, const char *line)
{
    const char *at = strstr(text, line);

    if (!at) {
        print_error("missing: %s\n", line);
    }
    assert_non_null(at);
    assert_true(at == text || at[-1] == '\n');
}

static void
test_values(void **state)
{
    struct ctl *ctl = stub_ctl_create();
    size_t size;

    (void) state;
    stub_ctl_set_store_error(ctl, "disk full");
    char *text = api_metrics(ctl, &size);
    assert_has(text, "ofmcast_uptime_seconds 12.345\n");
    assert_has(text, "ofmcast_switches 2\n");
    assert_has(text, "ofmcast_joins_total 5\n");
    assert_has(text, "ofmcast_port_receive_dropped_total{"
                     "dpid=\"0000000000000001\",port=\"1\"} 5\n");
    assert_null(strstr(text, "ofmcast_port_receive_errors_total{"));
    assert_has(text, "ofmcast_store_ok 0\n");
    assert_has(text, "ofmcast_igmp_messages_total{result=\"ok\"} 98\n");
    assert_has(text,
               "ofmcast_igmp_messages_total{result=\"bad-checksum\"} 1\n");
    assert_has(text, "ofmcast_mld_messages_total{result=\"ok\"} 12\n");
    assert_has(text, "ofmcast_members_static 1\n");
    assert_has(text, "ofmcast_member_rules{origin=\"api\"} 3\n");
    assert_has(text, "ofmcast_member_rules{origin=\"config\"} 1\n");
    assert_has(text, "ofmcast_hosts{family=\"4\"} 2\n");
    assert_has(text, "ofmcast_hosts{family=\"6\"} 1\n");
    assert_has(text, "ofmcast_queriers{who=\"ours\"} 2\n");
    assert_has(text, "ofmcast_queriers{who=\"other\"} 1\n");
    assert_has(text, "ofmcast_router_ports_static 1\n");
    assert_has(text, "ofmcast_filtered_sources 4\n");
    assert_has(text, "ofmcast_refused_total{guard=\"rate\"} "
                     "18446744073709551615\n");
    assert_has(text, "ofmcast_refused_total{guard=\"role\"} 0\n");
    assert_has(text, "ofmcast_port_refused_total{dpid=\"0000000000000001\","
                     "port=\"2\",port_name=\"s1-eth2\","
                     "guard=\"port-groups\"} 7\n");
    assert_has(text, "ofmcast_switch_connected{dpid=\"0000000000000001\"} 1");
    assert_has(text, "ofmcast_switch_connected{dpid=\"0000000000abcdef\"} 0");
    assert_has(text, "ofmcast_switch_ports{dpid=\"0000000000000001\"} 3\n");
    assert_has(text, "ofmcast_switch_messages_received_total"
                     "{dpid=\"0000000000000001\"} 18446744073709551615\n");
    assert_has(text, "ofmcast_switch_flows{dpid=\"0000000000000001\"} 21\n");
    assert_has(text, "ofmcast_fabric_links 5\n");
    assert_has(text, "ofmcast_fabric_parts 2\n");
    assert_has(text, "ofmcast_fabric_trees 3\n");
    assert_has(text, "ofmcast_fabric_hosts 3\n");
    assert_has(text, "ofmcast_fabric_draining 0\n");
    assert_has(text, "ofmcast_fabric_to_move 0\n");
    assert_has(text, "ofmcast_fabric_root_channels"
                     "{dpid=\"0000000000000005\"} 2\n");
    free(text);
    stub_ctl_destroy(ctl);
}

/* A thousand groups more are not one line more; nor are ports at which
 * something was refused, beyond a fixed number. */
static void
test_cardinality(void **state)
{
    struct ctl *ctl = stub_ctl_create();
    struct parsed before = parse(ctl);

    (void) state;
    stub_ctl_set_groups(ctl, 1000);
    struct parsed after = parse(ctl);
    assert_true(after.n_samples <= before.n_samples + 256);
    stub_ctl_set_groups(ctl, 5000);
    struct parsed later = parse(ctl);
    assert_int_equal(later.n_samples, after.n_samples);
    stub_ctl_destroy(ctl);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_cardinality),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
