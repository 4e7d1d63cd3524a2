/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-msg.h"

/* Golden packets: tests/golden/igmp/NAME.hex (a frame, with comment lines
 * that say where it came from) against NAME.txt (what we read in it, and
 * whether our builder makes the same of it).
 *
 *     test-igmp-golden [NAME]...
 *
 * OFM_UPDATE=1 writes the .txt files anew, for a diff to be reviewed. */

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

enum { MAX_FRAME = 2048, MAX_RECORDS = 64, MAX_SOURCES = 512 };

struct text {
    char s[16384];
    size_t n;
};

static void __attribute__((format(printf, 2, 3)))
put(struct text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    t->n += (size_t) vsnprintf(t->s + t->n, sizeof t->s - t->n, format, args);
    va_end(args);
    if (t->n >= sizeof t->s) {
        abort();
    }
}

static void
put_sources(struct text *t, const struct igmp_sources *sources)
{
    char buf[IP_ADDR_STRLEN];

    for (size_t i = 0; i < sources->n; i++) {
        struct ip_addr a = igmp_source_at(sources, i);

        put(t, "  source %s\n", ip_addr_format(&a, buf));
    }
}

static void
put_headers(struct text *t, const struct igmp_msg *m)
{
    static const char *const kinds[] = {
        "query",         "report",       "report",      "leave",    "report",
        "advertisement", "solicitation", "termination", "pim hello"};
    char a[IP_ADDR_STRLEN], b[IP_ADDR_STRLEN];

    put(t, "%s%s", m->family == IGMP_IPV6 ? "mld " : "", kinds[m->kind]);
    if (m->version) {
        put(t, " v%d", igmp_version_shown(m->family, m->version));
    }
    put(t, "\n");
    put(t, "eth %s", mac_addr_format(&m->eth_src, a));
    put(t, " > %s", mac_addr_format(&m->eth_dst, a));
    if (m->tagged) {
        put(t, " vlan %u", m->vlan);
    }
    put(t, "\nip %s > %s ttl %u%s\n", ip_addr_format(&m->ip_src, a),
        ip_addr_format(&m->ip_dst, b), m->ttl,
        m->router_alert ? " router-alert" : "");
}

static void
put_msg(struct text *t, const struct igmp_msg *m)
{
    struct igmp_record_cursor c;
    struct igmp_record record;
    char a[IP_ADDR_STRLEN];

    put_headers(t, m);
    if (m->kind >= IGMP_ROUTER_ADVERTISEMENT) {
        put(t, m->lifetime_ms == INT64_MAX ? "for ever\n" : "for %lld ms\n",
            (long long) m->lifetime_ms);
    } else if (m->kind != IGMP_V3_REPORT) {
        put(t, "group %s\n", ip_addr_format(&m->group, a));
    }
    if (m->kind == IGMP_QUERY) {
        put(t, "max-resp %lld ms%s qrv %u interval %lld ms\n",
            (long long) m->max_resp_ms, m->suppress ? " suppress" : "", m->qrv,
            (long long) m->query_interval_ms);
        put_sources(t, &m->sources);
    }
    igmp_record_first(&c, m);
    while (m->kind == IGMP_V3_REPORT && igmp_record_next(&c, &record)) {
        put(t, "record %u %s\n", record.type,
            ip_addr_format(&record.group, a));
        put_sources(t, &record.sources);
    }
}

static struct ip_addr *
copy_sources(const struct igmp_sources *sources, struct ip_addr **to)
{
    struct ip_addr *first = *to;

    for (size_t i = 0; i < sources->n; i++) {
        *(*to)++ = igmp_source_at(sources, i);
    }
    return first;
}

static size_t
encode_query(const struct igmp_msg *m, uint8_t *out)
{
    struct ip_addr sources[MAX_SOURCES], *next = sources;
    struct igmp_query q = {.family = m->family,
                           .version = m->version,
                           .eth_src = m->eth_src,
                           .vlan = m->vlan,
                           .ip_src = m->ip_src,
                           .group = m->group,
                           .sources = copy_sources(&m->sources, &next),
                           .n_sources = m->sources.n,
                           .max_resp_ms = m->max_resp_ms,
                           .suppress = m->suppress,
                           .qrv = m->qrv,
                           .query_interval_ms = m->query_interval_ms};

    return igmp_query_encode(&q, out, MAX_FRAME);
}

static size_t
encode_report(const struct igmp_msg *m, uint8_t *out)
{
    struct ip_addr sources[MAX_SOURCES], *next = sources;
    struct igmp_report_record records[MAX_RECORDS] = {{.group = m->group}};
    struct igmp_report report = {.family = m->family,
                                 .version = m->version,
                                 .leave = m->kind == IGMP_V2_LEAVE,
                                 .eth_src = m->eth_src,
                                 .vlan = m->vlan,
                                 .ip_src = m->ip_src,
                                 .records = records,
                                 .n_records = 1};

    if (m->kind == IGMP_V3_REPORT) {
        struct igmp_record_cursor c;
        struct igmp_record record;

        report.n_records = 0;
        igmp_record_first(&c, m);
        while (igmp_record_next(&c, &record)) {
            records[report.n_records++] = (struct igmp_report_record){
                .type = record.type,
                .group = record.group,
                .sources = copy_sources(&record.sources, &next),
                .n_sources = record.sources.n};
        }
    }
    return igmp_report_encode(&report, out, MAX_FRAME);
}

static size_t
encode_sign(const struct igmp_msg *m, uint8_t *out)
{
    struct igmp_sign sign = {.family = m->family,
                             .kind = m->kind,
                             .eth_src = m->eth_src,
                             .vlan = m->vlan,
                             .ip_src = m->ip_src,
                             .lifetime_ms = m->lifetime_ms};

    return igmp_sign_encode(&sign, out, MAX_FRAME);
}

/* Does our builder make the same frame, or at least one that reads alike? */
static void
put_encoded(struct text *t, const struct igmp_msg *m, const uint8_t *frame,
            size_t size)
{
    uint8_t again[MAX_FRAME];
    struct igmp_msg m2;
    static struct text t1, t2;
    size_t n = m->kind == IGMP_QUERY ? encode_query(m, again)
               : m->kind >= IGMP_ROUTER_ADVERTISEMENT
                   ? encode_sign(m, again)
                   : encode_report(m, again);

    if (n == size && !memcmp(frame, again, n)) {
        put(t, "encoded: the same bytes\n");
        return;
    }
    t1.n = t2.n = 0;
    put_msg(&t1, m);
    if (igmp_msg_decode(again, n, &m2)) {
        put(t, "encoded: REFUSED by our own parser\n");
        return;
    }
    put_msg(&t2, &m2);
    put(t, "encoded: %s\n", strcmp(t1.s, t2.s) ? "differs" : "the same text");
}

/* Reads hex digits, comments behind # left out.  Returns the size. */
static size_t
read_hex(FILE *f, uint8_t *out)
{
    size_t n_digits = 0;
    bool comment = false;
    int c;

    while ((c = getc(f)) != EOF) {
        comment = c == '#' || (comment && c != '\n');
        if (comment || isspace(c)) {
            continue;
        }
        if (!isxdigit(c) || n_digits / 2 >= MAX_FRAME) {
            fprintf(stderr, "not hex: '%c'\n", c);
            exit(EXIT_FAILURE);
        }
        int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
        out[n_digits / 2] =
            (uint8_t) (n_digits % 2 ? out[n_digits / 2] << 4 | digit : digit);
        n_digits++;
    }
    return n_digits / 2;
}

static char *
read_text(const char *path)
{
    static char buf[16384];
    FILE *f = fopen(path, "r");

    buf[f ? fread(buf, 1, sizeof buf - 1, f) : 0] = '\0';
    if (f) {
        fclose(f);
    }
    return buf;
}

static bool
run(const char *folder, const char *name)
{
    char *hex = xasprintf("%s/%s.hex", folder, name);
    char *txt = xasprintf("%s/%s.txt", folder, name);
    uint8_t frame[MAX_FRAME];
    static struct text t;
    struct igmp_msg m;
    FILE *f = fopen(hex, "r");

    if (!f) {
        perror(hex);
        exit(EXIT_FAILURE);
    }
    size_t size = read_hex(f, frame);
    fclose(f);

    uint8_t *exact = xmemdup(frame, size); /* For AddressSanitizer. */
    enum igmp_error error = igmp_msg_decode(exact, size, &m);
    t.n = 0;
    if (error) {
        put(&t, "%s\n", igmp_error_name(error));
    } else {
        put_msg(&t, &m);
        put_encoded(&t, &m, exact, size);
    }
    free(exact);

    bool ok = !strcmp(t.s, read_text(txt));
    if (!ok && getenv("OFM_UPDATE")) {
        f = fopen(txt, "w");
        ok = f && fputs(t.s, f) >= 0;
        ok = f && !fclose(f) && ok;
    } else if (!ok) {
        fprintf(stderr, "%s: wanted\n%s--- got\n%s", name, read_text(txt),
                t.s);
    }
    free(hex);
    free(txt);
    return ok;
}

int
main(int argc, char *argv[])
{
    const char *srcdir = getenv("srcdir");
    char *folder = xasprintf("%s/tests/golden/igmp", srcdir ? srcdir : ".");
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort), ran = 0, failed = 0;

    for (int i = 0; i < n; i++) {
        char *dot = strrchr(names[i]->d_name, '.');

        if (dot && !strcmp(dot, ".hex")) {
            bool wanted = argc < 2;

            *dot = '\0';
            for (int k = 1; k < argc; k++) {
                wanted |= !strcmp(argv[k], names[i]->d_name);
            }
            if (wanted) {
                ran++;
                failed += !run(folder, names[i]->d_name);
            }
        }
        free(names[i]);
    }
    free(n < 0 ? NULL : names);
    printf("%d packets of %s, %d failed\n", ran, folder, failed);
    free(folder);
    return ran && !failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
