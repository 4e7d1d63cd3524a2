/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Words, and what they stand for: addresses, numbers, ports. */

#include "api/import.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void
import_words_init(struct import_words *w, char *text)
{
    *w = (struct import_words){.next = text, .line = 1};
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Skips blanks and comments, and line ends unless 'same_line'; false if there
 * is no word behind them. */
static bool
skip_blanks(struct import_words *w, bool same_line)
{
    for (;;) {
        while (is_blank(*w->next)) {
            w->next++;
        }
        if (*w->next == '#') {
            w->next += strcspn(w->next, "\n");
        }
        if (*w->next != '\n') {
            return *w->next != '\0';
        }
        if (same_line) {
            return false;
        }
        w->next++;
        w->line++;
    }
}

char *
import_next_word(struct import_words *w, bool same_line)
{
    if (w->at_end) {
        if (same_line) {
            return NULL;
        }
        w->at_end = false;
        w->line++;
    }
    if (!skip_blanks(w, same_line)) {
        return NULL;
    }
    char *word = w->next;
    w->next += strcspn(word, " \t\r\v\f\n");
    w->at_end = *w->next == '\n';
    if (*w->next) {
        *w->next++ = '\0';
    }
    return word;
}

void
import_skip_line(struct import_words *w)
{
    if (!w->at_end) {
        w->next += strcspn(w->next, "\n");
    }
}

bool
import_read_number(const char *word, int min, int max, int *number)
{
    size_t digits = strspn(word, "0123456789");

    if (!digits || word[digits] || digits > 9) {
        return false;
    }
    *number = (int) strtol(word, NULL, 10);
    return *number >= min && *number <= max;
}

bool
import_check_port(struct import *im, const char *file, int line,
                  const char *name)
{
    size_t length = strlen(name);
    const char *problem = NULL;

    for (const char *p = name; *p; p++) {
        if ((unsigned char) *p <= ' ' || *p == 0x7f || strchr("\"\\/", *p)) {
            problem = "has a character in it that no interface's name has";
        }
    }
    if (!length) {
        problem = "is empty";
    } else if (length > 15) {
        problem = "is longer than a port's name can be, 15 characters";
    }
    if (problem) {
        import_error(im, file, line, "the interface '%s' %s", name, problem);
    }
    return !problem;
}

enum import_address_kind
import_read_address(struct import *im, const char *file, int line,
                    const char *word, char out[IP_PREFIX_STRLEN])
{
    const char *slash = strchr(word, '/');
    char *text = xasprintf(
        "%.*s", (int) (slash ? slash - word : (ptrdiff_t) strlen(word)), word);
    struct ip_addr address;
    bool good = ip_addr_parse(text, &address);
    bool v6 = good && !ip_addr_is_v4(&address);
    int max = v6 ? 128 : 32, len = max;

    free(text);
    if (!good || (slash && !import_read_number(slash + 1, 0, max, &len))) {
        import_error(im, file, line, "'%s' is not an IP%s address%s", word,
                     v6 ? "v6" : "v4",
                     !slash ? ""
                     : v6   ? " with a length of 0 to 128"
                            : " with a length of 0 to 32");
        return IMPORT_BAD;
    }
    unsigned int behind = (unsigned int) (max - len);
    struct ip_prefix prefix = {ip_addr_join(&address, behind, &IP_ADDR_ANY),
                               (uint8_t) (128 - behind)};
    ip_prefix_format(&prefix, out);
    if (!ip_addr_equal(&prefix.addr, &address)) {
        import_note(im, file, line, "%s is taken as %s", word, out);
    }
    if (v6) {
        return IMPORT_IPV6;
    }
    if (!ip_addr_to_v4(&prefix.addr) && (!len || len == 32)) {
        return IMPORT_ANY;
    }
    if (ip_addr_is_multicast(&prefix.addr) && len < 4) {
        import_error(im, file, line,
                     "%s is more than all groups, which are 224.0.0.0/4",
                     word);
        return IMPORT_BAD;
    }
    return ip_addr_is_multicast(&prefix.addr) ? IMPORT_MULTICAST
                                              : IMPORT_UNICAST;
}

/* What --address says. */

bool
import_add_address(struct import *im, const char *text)
{
    const char *value = strchr(text, '=');
    struct ip_addr address;

    if (!value || value == text || !ip_addr_parse(value + 1, &address)
        || !ip_addr_is_v4(&address) || !ip_addr_can_send(&address)) {
        return false;
    }
    im->addresses = xgrow(im->addresses, im->n_addresses,
                          &im->allocated_addresses, sizeof *im->addresses);
    im->addresses[im->n_addresses++] = (struct import_address){
        xasprintf("%.*s", (int) (value - text), text), xstrdup(value + 1)};
    return true;
}

const char *
import_address_of(const struct import *im, const char *port)
{
    for (size_t i = 0; i < im->n_addresses; i++) {
        if (!strcmp(im->addresses[i].port, port)) {
            return im->addresses[i].address;
        }
    }
    return NULL;
}

const char *
import_port_with(const struct import *im, const char *address)
{
    for (size_t i = 0; i < im->n_addresses; i++) {
        if (!strcmp(im->addresses[i].address, address)) {
            return im->addresses[i].port;
        }
    }
    return NULL;
}

void
import_tell_source(struct import *im, const char *file, int line,
                   const char *port)
{
    for (size_t i = 0; i < im->n_told; i++) {
        if (!strcmp(im->told[i], port)) {
            return;
        }
    }
    im->told =
        xgrow(im->told, im->n_told, &im->allocated_told, sizeof *im->told);
    im->told[im->n_told++] = xstrdup(port);
    import_note(im, file, line,
                "copies out of %s keep their source; they had the address of "
                "%s itself: give --address %s=A.B.C.D for that",
                port, port, port);
}
