/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_IMPORT_H
#define API_IMPORT_H 1

/* Configuration of other systems, read into ours.
 *
 * A format's reader takes a text and adds items (routes, static members,
 * flows: each the body of a PUT), a piece of our own configuration where the
 * other system says what is a setting here, and messages: errors, and notes of
 * what is not carried over.  Readers do no I/O: the text of an "include" comes
 * through import_ops.  They go on behind an error, so that all of them are
 * told at once; where there is one, nothing is to be written.
 *
 * While they read, it is open which switch is meant: "dpid" is "".  What all
 * items have in common (switch, names) is settled by import_finish().
 *
 * Names are PREFIX.WHAT, where WHAT is made of the stream and not of what is
 * done with it: the same rule has the same name each time, and one whose
 * outputs have changed replaces its former self.  A prefix has no dot, so that
 * it says which items came from the same import.
 *
 * Lines count from 1; 0 is the file as a whole.
 *
 * Ownership: an import owns all that is in it.  Functions that are given a
 * cJSON item take it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mcaddr.h"

struct cJSON;
struct import;

enum import_kind { IMPORT_ROUTE, IMPORT_MEMBER, IMPORT_FLOW, IMPORT_KINDS };

struct import_item {
    enum import_kind kind;
    char *name;         /* NULL before import_finish(), if made of 'what'. */
    char *label;        /* What the file calls it, NULL: nothing. */
    char *what;         /* The stream, for a name. */
    uint32_t hash;      /* Of 'what'. */
    struct cJSON *json; /* The resource, without its name. */
    const char *file;
    int line;
};

struct import_message {
    bool is_error; /* Else a note. */
    const char *file;
    int line;
    char *text;
    size_t file_no, order; /* For sorting. */
};

/* "--address PORT=ADDRESS": what an interface had on the old machine. */
struct import_address {
    char *port;
    char *address;
};

typedef void import_text_cb(void *aux, const char *file, char *text);

/* How a reader gets at other files. */
struct import_ops {
    /* Gives the text of each file that 'pattern' names to 'cb', in the order
     * of their names.  NULL, or what is wrong, for free(). */
    char *(*include)(void *aux, const char *from, const char *pattern,
                     import_text_cb *cb, void *cb_aux);
    void *aux;
};

struct import {
    const struct import_ops *ops;
    struct import_item *items;
    size_t n_items, allocated_items;
    struct import_message *messages;
    size_t n_messages, allocated_messages;
    size_t n_errors;
    struct import_address *addresses;
    size_t n_addresses, allocated_addresses;
    char **files;
    size_t n_files, allocated_files;
    char **told; /* Ports of which import_tell_source() has told. */
    size_t n_told, allocated_told;
    char *config;                     /* YAML, NULL if there is none. */
    struct import_smcroute *smcroute; /* What its files have in common. */
    bool is_full;
};

/* A format, by name. */
struct import_format {
    const char *name;
    /* 'text' ends with NUL and may be written to. */
    void (*read)(struct import *, const char *file, char *text);
    bool has_names;     /* Names and switches stand in the file. */
    bool has_addresses; /* --address says something to it. */
};

extern const struct import_format IMPORT_FORMATS[]; /* Until a NULL name. */
const struct import_format *import_find_format(const char *name);

enum {
    IMPORT_MAX_TEXT = 16 << 20, /* Bytes of a file. */
    IMPORT_MAX_PREFIX = 24,     /* Characters. */
    IMPORT_MAX_NAME = 64,
    IMPORT_MAX_ROUTES = 20000, /* Made of streams. */
    IMPORT_MAX_ERRORS = 100    /* Then a reader need not go on. */
};

void import_init(struct import *, const struct import_ops *);
void import_uninit(struct import *);
/* "PORT=ADDRESS"; false if it is not of that form. */
bool import_add_address(struct import *, const char *text);
/* Can a resource be called so? */
bool import_check_name(const char *);
/* A prefix of names: 1 to IMPORT_MAX_PREFIX of A-Z a-z 0-9 _ -. */
bool import_check_prefix(const char *);
/* Reads one file. 'text' need not end with NUL. */
void import_text(struct import *, const struct import_format *,
                 const char *file, const char *text, size_t size);
/* Is there an item without a switch? */
bool import_needs_switch(const struct import *);
/* Fills in the switch and makes names of 'prefix'; NULL: "FORMAT-SWITCH".
 * Says so if two items have one name. */
void import_finish(struct import *, const struct import_format *,
                   uint64_t dpid, const char *prefix);
/* The prefix that import_finish() takes, for free(). */
char *import_prefix(const struct import_format *, uint64_t dpid,
                    const char *prefix);
/* All of it as text, for tests: items, configuration, messages. */
char *import_dump(const struct import *);

/* For readers. */

/* Adds a message, like printf(). */
void import_say(struct import *, bool is_error, const char *file, int line,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
#define import_error(IMPORT, ...) import_say(IMPORT, true, __VA_ARGS__)
#define import_note(IMPORT, ...)  import_say(IMPORT, false, __VA_ARGS__)
/* In the order of files and lines. */
void import_sort_messages(struct import *);
/* The import's own copy of a name. */
const char *import_file(struct import *, const char *name);
/* Has so much been found that the rest is of no interest? */
bool import_is_lost(const struct import *);

/* A stream that enters.  What is absent is NULL or 0. */
struct import_stream {
    const char *port;
    const char *source; /* An address or a prefix. */
    const char *group;
    const char *unicast; /* Instead of 'group'. */
    int proto;           /* 0: any. */
    int udp_dst;
};

uint32_t import_hash(const char *);
/* The match of a route. */
struct cJSON *import_match(const struct import_stream *);
/* Adds a route.  'set' (NULL: none) and 'to' (NULL: members) are taken. */
struct import_item *import_add_route(struct import *, const char *file,
                                     int line, const struct import_stream *,
                                     struct cJSON *set, struct cJSON *to);
/* The route that is about this stream, NULL if none is yet. */
struct import_item *import_find_route(struct import *,
                                      const struct import_stream *);
/* Adds an item with a name of its own. */
void import_add_named(struct import *, enum import_kind, const char *file,
                      int line, const char *name, struct cJSON *);
/* A static router port. */
void import_add_router(struct import *, const char *file, int line,
                       const char *port);
void import_remove(struct import *, struct import_item *);
/* Another target of 'to': a port of the switch that is meant. */
struct cJSON *import_add_port(struct cJSON *to, const char *port);
/* Puts a piece behind the configuration. */
void import_add_config(struct import *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Words that name addresses. */
enum import_address_kind {
    IMPORT_BAD,     /* An error has been added. */
    IMPORT_IPV6,    /* Of any kind; nothing has been said yet. */
    IMPORT_UNICAST, /* IPv4. */
    IMPORT_MULTICAST,
    IMPORT_ANY /* 0.0.0.0, as an address or with /0 */
};
/* "A.B.C.D" or "A.B.C.D/LEN", or of IPv6; bits behind LEN are cleared, with a
 * note. */
enum import_address_kind import_read_address(struct import *, const char *file,
                                             int line, const char *word,
                                             char out[IP_PREFIX_STRLEN]);
/* A number from 'min' to 'max'; false if it is none. */
bool import_read_number(const char *word, int min, int max, int *);
/* Can a port of a switch be named so?  Says so if not. */
bool import_check_port(struct import *, const char *file, int line,
                       const char *name);
/* What --address says of a port; the port that has an address: or NULL. */
const char *import_address_of(const struct import *, const char *port);
const char *import_port_with(const struct import *, const char *address);

/* A note, once a port, that copies out of it keep their source where the old
 * system gave them the address of the interface. */
void import_tell_source(struct import *, const char *file, int line,
                        const char *port);

/* Words between blanks; '#' in front of one begins a comment. */
struct import_words {
    char *next;
    int line;    /* Of the last word. */
    bool at_end; /* Of a line, which has been cut off. */
};

void import_words_init(struct import_words *, char *text);
/* The next word, cut out of the text; NULL if there is none.  With
 * 'same_line' only a word of this line. */
char *import_next_word(struct import_words *, bool same_line);
void import_skip_line(struct import_words *);

/* The formats. */
void import_read_smcroute(struct import *, const char *file, char *text);
void import_read_pymfcd(struct import *, const char *file, char *text);
void import_read_mcr(struct import *, const char *file, char *text);
void import_read_igmpproxy(struct import *, const char *file, char *text);
/* Tells what is known when all files have been read, and forgets it. */
void import_finish_smcroute(struct import *);
void import_read_socat(struct import *, const char *file, char *text);
void import_read_ofmcast(struct import *, const char *file, char *text);

#endif
