/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "igmp/igmp-say.h"

#include <string.h>

enum { MAX_FRAME = 14 + 4 + 1500 };

static size_t
room(const struct igmp_say *say)
{
    return say->voice->family == IGMP_IPV6 ? IGMP_SAY_ROOM_V6
                                           : IGMP_SAY_ROOM_V4;
}

static size_t
head_size(const struct igmp_say *say)
{
    return say->voice->family == IGMP_IPV6 ? 20 : 8;
}

static size_t
source_size(const struct igmp_say *say)
{
    return say->voice->family == IGMP_IPV6 ? 16 : 4;
}

static void
empty(struct igmp_say *say)
{
    say->n_records = say->n_sources = 0;
    say->left = room(say);
}

void
igmp_say_begin(struct igmp_say *say, const struct igmp_voice *voice,
               const struct port_id *port, int version)
{
    say->voice = voice;
    say->port = port;
    say->version = version;
    say->n_frames = 0;
    empty(say);
}

static void
send(struct igmp_say *say, const struct igmp_report *what)
{
    struct igmp_report report = *what;
    uint8_t frame[MAX_FRAME];

    report.family = say->voice->family;
    report.version = say->version;
    report.eth_src = say->voice->mac;
    report.vlan = say->voice->vlan;
    report.ip_src = say->voice->address;
    size_t size = igmp_report_encode(&report, frame, sizeof frame);
    if (size) {
        say->voice->send(say->voice->aux, say->port, frame, size);
        say->n_frames++;
    }
}

void
igmp_say_end(struct igmp_say *say)
{
    if (say->n_records) {
        const struct igmp_report report = {.records = say->records,
                                           .n_records = say->n_records};

        send(say, &report);
        empty(say);
    }
}

/* It fits. */
static void
put(struct igmp_say *say, enum igmp_record_type type,
    const struct ip_addr *group, const struct ip_addr *sources, size_t n)
{
    struct ip_addr *copy = say->sources + say->n_sources;

    if (n) {
        memcpy(copy, sources, n * sizeof *copy);
    }
    say->n_sources += n;
    say->left -= head_size(say) + n * source_size(say);
    say->records[say->n_records++] =
        (struct igmp_report_record){.type = (uint8_t) type,
                                    .group = *group,
                                    .sources = copy,
                                    .n_sources = n};
}

/* 4.2.16: a record that is too long for a report of its own is split, but for
 * those of EXCLUDE mode, of which each would undo the one before: these say
 * what they can, always the same. */
void
igmp_say_record(struct igmp_say *say, enum igmp_record_type type,
                const struct ip_addr *group, const struct ip_addr *sources,
                size_t n)
{
    bool whole =
        type == IGMP_MODE_IS_EXCLUDE || type == IGMP_CHANGE_TO_EXCLUDE;
    size_t most = (room(say) - head_size(say)) / source_size(say);

    if (head_size(say) + n * source_size(say) > say->left) {
        igmp_say_end(say);
    }
    while (n > most && !whole) {
        put(say, type, group, sources, most);
        igmp_say_end(say);
        sources += most;
        n -= most;
    }
    put(say, type, group, sources, n < most ? n : most);
}

void
igmp_say_older(struct igmp_say *say, const struct ip_addr *group, bool leave)
{
    const struct igmp_report_record record = {.type = IGMP_MODE_IS_EXCLUDE,
                                              .group = *group};
    const struct igmp_report report = {
        .leave = leave, .records = &record, .n_records = 1};

    if (!leave || say->version == 2) {
        send(say, &report);
    }
}
