/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "lab/mcjoin.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct sockaddr_storage
to_storage(const struct ip_addr *a)
{
    struct sockaddr_storage ss;

    memset(&ss, 0, sizeof ss);
    if (ip_addr_is_v4(a)) {
        struct sockaddr_in sin = {.sin_family = AF_INET};

        sin.sin_addr.s_addr = htonl(ip_addr_to_v4(a));
        memcpy(&ss, &sin, sizeof sin);
    } else {
        struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};

        memcpy(&sin6.sin6_addr, a->b, sizeof a->b);
        memcpy(&ss, &sin6, sizeof sin6);
    }
    return ss;
}

static int
level(const struct mcjoin *m)
{
    return ip_addr_is_v4(&m->group) ? IPPROTO_IP : IPPROTO_IPV6;
}

static int
change_any(const struct mcjoin *m, int fd, unsigned int ifindex, int option)
{
    struct group_req request = {.gr_interface = ifindex,
                                .gr_group = to_storage(&m->group)};

    return setsockopt(fd, level(m), option, &request, sizeof request) ? errno
                                                                      : 0;
}

static int
change_source(const struct mcjoin *m, int fd, unsigned int ifindex,
              const struct ip_addr *source, int option)
{
    struct group_source_req request = {.gsr_interface = ifindex,
                                       .gsr_group = to_storage(&m->group),
                                       .gsr_source = to_storage(source)};

    return setsockopt(fd, level(m), option, &request, sizeof request) ? errno
                                                                      : 0;
}

int
mcjoin_join(const struct mcjoin *m, int fd, unsigned int ifindex)
{
    int error = 0;

    if (m->exclude) {
        error = change_any(m, fd, ifindex, MCAST_JOIN_GROUP);
        return error || !m->n_sources ? error : mcjoin_set(m, fd, ifindex);
    }
    for (size_t i = 0; !error && i < m->n_sources; i++) {
        error = mcjoin_allow(m, fd, ifindex, &m->sources[i]);
    }
    return error;
}

int
mcjoin_leave(const struct mcjoin *m, int fd, unsigned int ifindex)
{
    return change_any(m, fd, ifindex, MCAST_LEAVE_GROUP);
}

int
mcjoin_set(const struct mcjoin *m, int fd, unsigned int ifindex)
{
    struct sockaddr_storage sources[MCJOIN_SOURCES];
    struct sockaddr_storage group = to_storage(&m->group);

    for (size_t i = 0; i < m->n_sources; i++) {
        sources[i] = to_storage(&m->sources[i]);
    }
    /* The C library takes no longer address than the family's. */
    socklen_t size = ip_addr_is_v4(&m->group) ? sizeof(struct sockaddr_in)
                                              : sizeof(struct sockaddr_in6);
    return setsourcefilter(fd, ifindex, (struct sockaddr *) &group, size,
                           m->exclude ? MCAST_EXCLUDE : MCAST_INCLUDE,
                           (uint32_t) m->n_sources, sources)
               ? errno
               : 0;
}

int
mcjoin_allow(const struct mcjoin *m, int fd, unsigned int ifindex,
             const struct ip_addr *source)
{
    return change_source(m, fd, ifindex, source,
                         m->exclude ? MCAST_UNBLOCK_SOURCE
                                    : MCAST_JOIN_SOURCE_GROUP);
}

int
mcjoin_block(const struct mcjoin *m, int fd, unsigned int ifindex,
             const struct ip_addr *source)
{
    return change_source(m, fd, ifindex, source,
                         m->exclude ? MCAST_BLOCK_SOURCE
                                    : MCAST_LEAVE_SOURCE_GROUP);
}

/* Keeps the list as the kernel has it, for mcjoin_join() later. */
static void
remember(struct mcjoin *m, const struct ip_addr *source, bool in)
{
    size_t i;

    for (i = 0; i < m->n_sources; i++) {
        if (ip_addr_equal(&m->sources[i], source)) {
            break;
        }
    }
    if (!in && i < m->n_sources) {
        m->sources[i] = m->sources[--m->n_sources];
    } else if (in && i == m->n_sources && i < MCJOIN_SOURCES) {
        m->sources[m->n_sources++] = *source;
    }
}

/* The addresses of 'line' from 'at' on; false if a word is none. */
static bool
read_sources(const char *line, struct mcjoin *out)
{
    char word[IP_ADDR_STRLEN];
    int used;

    out->n_sources = 0;
    for (; sscanf(line, " %45s%n", word, &used) == 1; line += used) {
        if (out->n_sources == MCJOIN_SOURCES
            || !ip_addr_parse(word, &out->sources[out->n_sources])) {
            return false;
        }
        out->n_sources++;
    }
    return true;
}

static int
change_each(struct mcjoin *m, const struct mcjoin *wanted, bool allow, int fd,
            unsigned int ifindex)
{
    for (size_t i = 0; i < wanted->n_sources; i++) {
        const struct ip_addr *source = &wanted->sources[i];
        int error = allow ? mcjoin_allow(m, fd, ifindex, source)
                          : mcjoin_block(m, fd, ifindex, source);

        if (error) {
            return error;
        }
    }
    return 0;
}

/* An empty INCLUDE filter was the end of the membership. */
static int
set_or_join(const struct mcjoin *m, int fd, unsigned int ifindex)
{
    int error = mcjoin_set(m, fd, ifindex);

    return error == EINVAL ? mcjoin_join(m, fd, ifindex) : error;
}

bool
mcjoin_command(struct mcjoin *m, const char *line, const int fds[],
               const unsigned int ifindexes[], size_t n, int *error)
{
    struct mcjoin wanted = {.group = m->group};
    char verb[16];
    int used;

    if (sscanf(line, "%15s%n", verb, &used) != 1
        || !read_sources(line + used, &wanted)) {
        return false;
    }

    bool allow = !strcmp(verb, "allow");
    bool change = allow || !strcmp(verb, "block");
    wanted.exclude = !strcmp(verb, "exclude");
    if (!change && !wanted.exclude && strcmp(verb, "include")) {
        return false;
    }
    *error = 0;
    for (size_t i = 0; !*error && i < n; i++) {
        *error = change ? change_each(m, &wanted, allow, fds[i], ifindexes[i])
                        : set_or_join(&wanted, fds[i], ifindexes[i]);
    }
    if (!change) {
        *m = wanted;
    }
    for (size_t i = 0; change && i < wanted.n_sources; i++) {
        remember(m, &wanted.sources[i], allow != m->exclude);
    }
    return true;
}
