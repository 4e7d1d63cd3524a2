/* SPDX-License-Identifier: Apache-2.0 */
/* "explain" asks Open vSwitch itself. */
#include <config.h>

#include "api/ctl-crosscheck.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/ctl-command.h"
#include "api/ctl-table.h"
#include "api/ctl-trace.h"
#include "lib/mcaddr.h"
#include "lib/xalloc.h"

extern char **environ;

/* A trace of a group with 1,000 buckets is 200 kB. */
enum { MAX_TEXT = 4 << 20 };

static const struct cJSON *
get(const struct cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* Running ovs-appctl. */

/* What comes from 'fd', up to MAX_TEXT; for free(). */
static char *
read_all(int fd)
{
    char *text = xmalloc(MAX_TEXT + 1);
    size_t size = 0;

    while (size < MAX_TEXT) {
        ssize_t n = read(fd, text + size, MAX_TEXT - size);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            break;
        }
        size += n > 0 ? (size_t) n : 0;
    }
    text[size] = '\0';
    return text;
}

static bool
spawn(char *argv[], int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    bool ok = !posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return ok;
}

/* What the command prints, for free(); NULL if it fails. */
static char *
run(char *argv[])
{
    int fds[2], status;
    char *text = NULL;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC)) {
        return NULL;
    }
    bool ok = spawn(argv, fds[1], &pid);
    close(fds[1]);
    if (ok) {
        text = read_all(fds[0]);
    }
    close(fds[0]); /* Ends it by SIGPIPE if it has more to say. */
    if (ok) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        ok = WIFEXITED(status) && !WEXITSTATUS(status);
    }
    if (!ok) {
        free(text);
        text = NULL;
    }
    return text;
}

/* 'a' and 'b' may be NULL. */
static char *
appctl(const struct ctl_options *o, const char *command, const char *a,
       const char *b)
{
    char *argv[8];
    size_t n = 0;

    argv[n++] = (char[]){"ovs-appctl"};
    argv[n++] = (char[]){"--timeout=5"};
    char *target =
        xasprintf("--target=%s", o->vswitchd ? o->vswitchd : "ovs-vswitchd");
    char *texts[] = {xstrdup(command), a ? xstrdup(a) : NULL,
                     b ? xstrdup(b) : NULL};
    argv[n++] = target;
    for (size_t i = 0; i < 3 && texts[i]; i++) {
        argv[n++] = texts[i];
    }
    argv[n] = NULL;
    char *text = run(argv);
    for (size_t i = 0; i < 3; i++) {
        free(texts[i]);
    }
    free(target);
    return text;
}

/* The packet. */

/* dpif/show counts as OpenFlow 1.0 does, the local port being 65534. */
static uint32_t
short_port(double port)
{
    uint32_t no = port >= 0 && port <= UINT32_MAX ? (uint32_t) port : 0;

    return no >= 0xffffff00 ? no & 0xffff : no;
}

/* The port of the switch where the packet enters, which is asked for by
 * name or number; NULL if the switch or Open vSwitch has none. */
static const struct ctl_dpif_port *
find_in_port(const struct ctl_dpif *d, const struct cJSON *sw,
             const char *in_port)
{
    const struct cJSON *p;

    cJSON_ArrayForEach (p, get(sw, "ports")) {
        const char *name = ctl_get_text(p, "name");
        double no = ctl_get_number(p, "port");
        char text[24];

        snprintf(text, sizeof text, "%.0f", no);
        if (!strcmp(name, in_port) || !strcmp(text, in_port)) {
            return ctl_dpif_lookup(d, name, short_port(no));
        }
    }
    return NULL;
}

/* Of a tunnel port, the VNI that carries the vlan; NULL: none does, or it is
 * none. */
static const struct cJSON *
find_vni(const struct cJSON *sw, uint32_t no, const char *vlan)
{
    const struct cJSON *p, *v;

    cJSON_ArrayForEach (p, get(sw, "ports")) {
        cJSON_ArrayForEach (v, get(get(p, "tunnel"), "vnis")) {
            if (short_port(ctl_get_number(p, "port")) == no
                && ctl_get_number(v, "vlan") == strtod(vlan, NULL)) {
                return get(v, "vni");
            }
        }
    }
    return NULL;
}

/* A host's address that is ours to answer for has the switch's own. */
static struct mac_addr
mac_of(const struct ip_addr *ip, const struct cJSON *sw)
{
    uint64_t dpid = 0;

    if (ip_addr_is_multicast(ip)) {
        return mac_addr_of_group(ip);
    }
    dpid_parse(ctl_get_text(sw, "dpid"), &dpid);
    return mac_addr_of_switch(dpid);
}

/* In the syntax of ofproto/trace: for free(). */
static char *
flow_text(const struct cJSON *packet, const struct cJSON *sw, uint32_t in_port)
{
    const char *source = ctl_get_text(packet, "source");
    const char *group = ctl_get_text(packet, "group");
    const char *dst = ctl_get_text(packet, "udp_dst");
    const char *ttl = ctl_get_text(packet, "ttl");
    const char *vlan = ctl_get_text(packet, "vlan");
    char mac[MAC_ADDR_STRLEN], *text = NULL;
    struct ip_addr ip;

    if (!ip_addr_parse(group, &ip)) {
        return NULL;
    }
    struct mac_addr dl_dst = mac_of(&ip, sw);
    bool v4 = ip_addr_is_v4(&ip);
    ctl_append(&text, "",
               "in_port=%" PRIu32 ",%s,dl_src=02:00:00:00:00:01,dl_dst=%s,"
               "%s=%s,%s=%s,nw_ttl=%s,udp_src=5000,udp_dst=%s",
               in_port, v4 ? "udp" : "udp6", mac_addr_format(&dl_dst, mac),
               v4 ? "nw_src" : "ipv6_src", source, v4 ? "nw_dst" : "ipv6_dst",
               group, *ttl ? ttl : "64", *dst ? dst : "0");
    const struct cJSON *vni = find_vni(sw, in_port, vlan);
    if (vni) {
        ctl_append(&text, ",", "tun_id=%.0f", vni->valuedouble);
    } else if (*vlan && strcmp(vlan, "0")) {
        ctl_append(&text, ",", "dl_vlan=%s", vlan);
    }
    return text;
}

/* Comparing. */

static void
add_name(struct cJSON *array, const char *name)
{
    const struct cJSON *item;

    cJSON_ArrayForEach (item, array) {
        if (!strcmp(item->valuestring, name)) {
            return;
        }
    }
    cJSON_AddItemToArray(array, cJSON_CreateString(name));
}

/* Whether copies shall leave by 'dp_port', which more than one port of a
 * bridge may share (tunnels). */
static bool
is_meant(const struct ctl_dpif *d, const char *bridge,
         const struct cJSON *outputs, uint32_t dp_port)
{
    const struct cJSON *out;

    cJSON_ArrayForEach (out, outputs) {
        const struct ctl_dpif_port *p =
            ctl_dpif_lookup(d, ctl_get_text(out, "port_name"),
                            short_port(ctl_get_number(out, "port")));
        if (p && p->has_dp_port && p->dp_port == dp_port
            && !strcmp(p->bridge, bridge)) {
            return true;
        }
    }
    return false;
}

/* What shall leave here, and does not.  Behind patch ports and at other
 * switches somebody else decides. */
static void
find_missing(const struct ctl_trace *t, const struct ctl_dpif *d,
             const char *bridge, const struct cJSON *outputs,
             struct cJSON *missing)
{
    const struct cJSON *out;

    cJSON_ArrayForEach (out, outputs) {
        const struct ctl_dpif_port *p =
            ctl_dpif_lookup(d, ctl_get_text(out, "port_name"),
                            short_port(ctl_get_number(out, "port")));
        if (p && p->has_dp_port && !strcmp(p->bridge, bridge)
            && !ctl_trace_has(t, p->dp_port)) {
            add_name(missing, p->name);
        }
    }
}

static void
find_extra(const struct ctl_trace *t, const struct ctl_dpif *d,
           const char *bridge, const struct cJSON *outputs,
           struct cJSON *extra)
{
    for (size_t i = 0; i < d->n_ports; i++) {
        const struct ctl_dpif_port *p = &d->ports[i];
        if (p->has_dp_port && !strcmp(p->bridge, bridge)
            && ctl_trace_has(t, p->dp_port)
            && !is_meant(d, bridge, outputs, p->dp_port)) {
            add_name(extra, p->name);
        }
    }
}

static void
append_names(char **text, const char *what, const struct cJSON *names)
{
    const struct cJSON *item;
    const char *separator = ": ";

    if (!cJSON_GetArraySize(names)) {
        return;
    }
    ctl_append(text, "; ", "%s", what);
    cJSON_ArrayForEach (item, names) {
        ctl_append(text, separator, "%s", item->valuestring);
        separator = ", ";
    }
}

static void
judge(struct cJSON *o, const struct ctl_trace *t, const struct cJSON *missing,
      const struct cJSON *extra)
{
    bool agrees = !cJSON_GetArraySize(missing) && !cJSON_GetArraySize(extra);
    char *text = NULL;

    append_names(&text, "Open vSwitch sends no copy to", missing);
    append_names(&text, "it sends copies that nobody asked for to", extra);
    if (agrees) {
        ctl_append(&text, "", "Open vSwitch agrees (ofproto/trace)");
    }
    if (t->partial) {
        ctl_append(&text, "; ", "the trace could not be read in full");
    }
    if (t->slow_path) {
        ctl_append(&text, "; ", "its slow path handles each packet");
    }
    if (t->partial) {
        cJSON_AddNullToObject(o, "agrees");
    } else {
        cJSON_AddBoolToObject(o, "agrees", agrees);
    }
    cJSON_AddStringToObject(o, "text", text);
    free(text);
}

static void
cannot(struct cJSON *o, const char *why)
{
    cJSON_AddNullToObject(o, "agrees");
    cJSON_AddStringToObject(o, "text", why);
}

static void
compare(struct cJSON *o, const struct ctl_trace *t, const struct ctl_dpif *d,
        const char *bridge, const struct cJSON *outputs)
{
    struct cJSON *missing = cJSON_CreateArray();
    struct cJSON *extra = cJSON_CreateArray();

    find_missing(t, d, bridge, outputs, missing);
    find_extra(t, d, bridge, outputs, extra);
    judge(o, t, missing, extra);
    cJSON_AddStringToObject(o, "actions", t->actions);
    cJSON_AddStringToObject(o, "megaflow", t->megaflow ? t->megaflow : "");
    cJSON_AddItemToObject(o, "missing", missing);
    cJSON_AddItemToObject(o, "extra", extra);
}

static void
trace_port(const struct ctl_options *o, const struct ctl_dpif *d,
           const struct cJSON *sw, const struct ctl_dpif_port *in,
           const struct cJSON *outputs, struct cJSON *json)
{
    char *flow = flow_text(o->packet, sw, in->port);
    char *text = flow ? appctl(o, "ofproto/trace", in->bridge, flow) : NULL;
    struct ctl_trace t = {0};

    if (flow) {
        cJSON_AddStringToObject(json, "flow", flow);
    }
    if (text && ctl_trace_parse(&t, text)) {
        compare(json, &t, d, in->bridge, outputs);
    } else {
        cannot(json, "ofproto/trace gives no answer");
    }
    ctl_trace_clear(&t);
    free(text);
    free(flow);
}

static bool
is_flooded(const struct cJSON *explanation)
{
    const char *reason = ctl_get_text(explanation, "reason");

    return !strcmp(reason, "flooded") || !strcmp(reason, "link-local");
}

const struct cJSON *
ctl_crosscheck(const struct ctl_options *o, struct cJSON *explanation)
{
    struct cJSON *json = cJSON_AddObjectToObject(explanation, "trace");
    char *text = appctl(o, "dpif/show", NULL, NULL);
    struct cJSON *sw = NULL;
    struct ctl_dpif d = {0};
    int code;

    if (text) {
        char *dpid = ctl_encode(ctl_get_text(o->packet, "dpid"));
        char *target = xasprintf("/v1/switches/%s", dpid);
        ctl_dpif_parse(&d, text);
        sw = ctl_fetch(o, target, &code);
        free(target);
        free(dpid);
    }
    const struct ctl_dpif_port *in =
        find_in_port(&d, sw, ctl_get_text(o->packet, "in_port"));
    if (in && is_flooded(explanation)) {
        cannot(json, "it is flooded: there are no single copies to compare");
    } else if (in) {
        trace_port(o, &d, sw, in, get(explanation, "outputs"), json);
    } else {
        cannot(json, text ? "this Open vSwitch has no such port"
                          : "Open vSwitch cannot be asked here");
    }
    cJSON_Delete(sw);
    ctl_dpif_clear(&d);
    free(text);
    return json;
}
