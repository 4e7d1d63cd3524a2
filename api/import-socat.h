/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_IMPORT_SOCAT_H
#define API_IMPORT_SOCAT_H 1

/* The parts of reading socat command lines: words as a shell makes them, and
 * one address of socat with its options. */

#include "api/import.h"

enum { SOCAT_MAX_WORDS = 64 };

/* A script, cut into commands. */
struct socat_shell {
    struct import *import;
    const char *file;
    char *at;
    int line;
    bool expands; /* The word taken last: "$IF" or "`...`" is in it. */
};

struct socat_command {
    int line; /* Where it begins. */
    char *words[SOCAT_MAX_WORDS];
    size_t n_words;
};

/* The next command with a word in it; false at the end.  What cannot be
 * understood is an error, and what is left of that command is skipped. */
bool socat_next_command(struct socat_shell *, struct socat_command *);

/* "UDP4-RECV:5001,ip-add-membership=239.1.1.1:eth0" */
struct socat_address {
    bool receives, sends;
    char host[IP_PREFIX_STRLEN]; /* Where to, "": it sends to nobody. */
    bool to_group;               /* 'host' is multicast. */
    int port;                    /* Of 'host', or that is listened to. */
    char group[IP_PREFIX_STRLEN], source[IP_PREFIX_STRLEN]; /* Joined. */
    char bind[IP_PREFIX_STRLEN];
    bool bind_is_group;
    int bind_port;
    char interface[16];                /* By name. */
    char if_address[IP_PREFIX_STRLEN]; /* By address. */
    int ttl, multicast_ttl;            /* 0: not given. */
    int tos;                           /* < 0: not given. */
};

/* Cuts 'text' up; false with errors added. */
bool socat_read_address(struct import *, const char *file, int line,
                        char *text, struct socat_address *);

#endif
