/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lab/tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* Sequence numbers above this are taken for damage. */
enum { MAX_SEQ = 1 << 28 };

static struct tally_stream *
get_stream(struct tally *t, uint32_t id)
{
    for (size_t i = 0; i < t->n_streams; i++) {
        if (t->streams[i].id == id) {
            return &t->streams[i];
        }
    }
    if (t->n_streams == TALLY_STREAMS) {
        return NULL;
    }

    struct tally_stream *s = &t->streams[t->n_streams++];
    s->id = id;
    s->min = UINT64_MAX;
    return s;
}

static void
count_seq(struct tally_stream *s, uint64_t seq)
{
    size_t word = (size_t) (seq / 64);
    uint64_t bit = UINT64_C(1) << seq % 64;

    if (word >= s->n_words) {
        size_t n = word * 2 + 64;

        s->seen = xrealloc(s->seen, n * sizeof *s->seen);
        memset(s->seen + s->n_words, 0, (n - s->n_words) * sizeof *s->seen);
        s->n_words = n;
    }
    if (s->seen[word] & bit) {
        s->duplicated++;
        return;
    }
    s->seen[word] |= bit;
    s->reordered += s->unique && seq < s->max;
    s->unique++;
    s->min = seq < s->min ? seq : s->min;
    s->max = seq > s->max ? seq : s->max;
}

static bool
path_equal(const struct mark_path *a, const struct mark_path *b)
{
    return ip_addr_equal(&a->source, &b->source)
           && ip_addr_equal(&a->group, &b->group) && a->port == b->port
           && a->vlan == b->vlan && a->ttl == b->ttl;
}

/* What does not fit in the table counts in its last row. */
static void
count_path(struct tally *t, const struct mark_path *sent,
           const struct mark_path *arrived)
{
    size_t i;

    for (i = 0; i < t->n_paths; i++) {
        if (path_equal(&t->paths[i].sent, sent)
            && path_equal(&t->paths[i].arrived, arrived)) {
            break;
        }
    }
    if (i == t->n_paths) {
        if (i == TALLY_PATHS) {
            i--;
        } else {
            t->n_paths++;
        }
        t->paths[i].sent = *sent;
        t->paths[i].arrived = *arrived;
    }
    t->paths[i].packets++;
}

static void
count_time(struct tally *t, uint64_t sent_ns, uint64_t now_ns)
{
    if (!t->first_ns) {
        t->first_ns = now_ns;
    } else if (now_ns > t->last_ns && now_ns - t->last_ns > t->max_gap_ns) {
        t->max_gap_ns = now_ns - t->last_ns;
    }
    t->last_ns = now_ns;
    if (t->n_latencies < TALLY_LATENCIES) {
        uint64_t us = now_ns > sent_ns ? (now_ns - sent_ns) / 1000 : 0;

        if (!t->latencies) {
            t->latencies = xmalloc(TALLY_LATENCIES * sizeof *t->latencies);
        }
        t->latencies[t->n_latencies++] =
            us < UINT32_MAX ? (uint32_t) us : UINT32_MAX;
    }
}

void
tally_add(struct tally *t, const uint8_t *payload, size_t size,
          const struct mark_path *arrived, uint64_t now_ns)
{
    struct tally_stream *s = NULL;
    struct mark m;

    switch (mark_get(payload, size, &m)) {
    case MARK_OK:
        s = m.seq <= MAX_SEQ ? get_stream(t, m.stream) : NULL;
        break;
    case MARK_FOREIGN:
        t->foreign++;
        return;
    case MARK_DAMAGED:
        break;
    }
    if (!s) {
        t->damaged++;
        return;
    }
    if (!t->start_ns) {
        t->start_ns = m.time_ns;
    }
    if (t->limit_ns && now_ns > t->start_ns + t->limit_ns) {
        t->late++;
        return;
    }
    t->received++;
    count_seq(s, m.seq);
    count_path(t, &m.sent, arrived);
    count_time(t, m.time_ns, now_ns);
}

void
tally_add_frame(struct tally *t, const struct mac_addr *to)
{
    size_t i;

    for (i = 0; i < t->n_macs; i++) {
        if (!memcmp(&t->macs[i].mac, to, sizeof *to)) {
            break;
        }
    }
    if (i == t->n_macs) {
        if (i == TALLY_MACS) {
            i--;
        } else {
            t->n_macs++;
        }
        t->macs[i].mac = *to;
    }
    t->macs[i].frames++;
}

uint64_t
tally_unique(const struct tally *t)
{
    uint64_t n = 0;

    for (size_t i = 0; i < t->n_streams; i++) {
        n += t->streams[i].unique;
    }
    return n;
}

static void
print_path(const char *name, const struct mark_path *p, FILE *f)
{
    char source[IP_ADDR_STRLEN], group[IP_ADDR_STRLEN];

    fprintf(f,
            "\"%s\":{\"source\":\"%s\",\"group\":\"%s\",\"port\":%u,"
            "\"vlan\":%u,\"ttl\":%u}",
            name, ip_addr_format(&p->source, source),
            ip_addr_format(&p->group, group), p->port, p->vlan, p->ttl);
}

static void
print_macs(const struct tally *t, FILE *f)
{
    char mac[MAC_ADDR_STRLEN];

    fputs(",\"macs\":{", f);
    for (size_t i = 0; i < t->n_macs; i++) {
        fprintf(f, "%s\"%s\":%" PRIu64, i ? "," : "",
                mac_addr_format(&t->macs[i].mac, mac), t->macs[i].frames);
    }
    fputs("}", f);
}

static int
compare_streams(const void *a, const void *b)
{
    const struct tally_stream *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

/* In the order of their ids: which of two came first is the machine's. */
static void
print_streams(struct tally *t, FILE *f)
{
    uint64_t duplicated = 0, reordered = 0, missing = 0;

    for (size_t i = 0; i < t->n_streams; i++) {
        const struct tally_stream *s = &t->streams[i];

        duplicated += s->duplicated;
        reordered += s->reordered;
        missing += s->max - s->min + 1 - s->unique;
    }
    fprintf(f,
            ",\"unique\":%" PRIu64 ",\"duplicated\":%" PRIu64
            ",\"reordered\":%" PRIu64 ",\"missing\":%" PRIu64,
            tally_unique(t), duplicated, reordered, missing);
    fputs(",\"streams\":[", f);
    qsort(t->streams, t->n_streams, sizeof t->streams[0], compare_streams);
    for (size_t i = 0; i < t->n_streams; i++) {
        const struct tally_stream *s = &t->streams[i];

        fprintf(f,
                "%s{\"id\":%" PRIu32 ",\"first\":%" PRIu64 ",\"last\":%" PRIu64
                ",\"unique\":%" PRIu64 "}",
                i ? "," : "", s->id, s->min, s->max, s->unique);
    }
    fputs("]", f);
}

static int
compare_latency(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a;
    uint32_t y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}

static void
print_times(struct tally *t, bool done, FILE *f)
{
    uint32_t *l = t->latencies;
    size_t n = t->n_latencies;

    fprintf(f,
            ",\"first_ns\":%" PRIu64 ",\"last_ns\":%" PRIu64
            ",\"max_gap_us\":%" PRIu64,
            t->first_ns, t->last_ns, t->max_gap_ns / 1000);
    if (done && n) {
        qsort(l, n, sizeof *l, compare_latency);
        fprintf(f,
                ",\"latency_us\":{\"min\":%" PRIu32 ",\"median\":%" PRIu32
                ",\"p99\":%" PRIu32 ",\"max\":%" PRIu32 "}",
                l[0], l[n / 2], l[n * 99 / 100], l[n - 1]);
    }
}

void
tally_print(struct tally *t, bool done, FILE *f)
{
    fprintf(f,
            "\"received\":%" PRIu64 ",\"foreign\":%" PRIu64
            ",\"damaged\":%" PRIu64 ",\"bad_checksum\":%" PRIu64
            ",\"late\":%" PRIu64,
            t->received, t->foreign, t->damaged, t->bad_checksum, t->late);
    print_streams(t, f);
    fputs(",\"paths\":[", f);
    for (size_t i = 0; i < t->n_paths; i++) {
        fputs(i ? ",{" : "{", f);
        print_path("sent", &t->paths[i].sent, f);
        fputs(",", f);
        print_path("arrived", &t->paths[i].arrived, f);
        fprintf(f, ",\"packets\":%" PRIu64 "}", t->paths[i].packets);
    }
    fputs("]", f);
    print_macs(t, f);
    print_times(t, done, f);
}

void
tally_uninit(struct tally *t)
{
    for (size_t i = 0; i < t->n_streams; i++) {
        free(t->streams[i].seen);
    }
    free(t->latencies);
}
