/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* ofmcastctl import: files in, differences, writes. */

#include "api/ctl-import.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/ctl-show.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

const char *const CTL_IMPORT_KINDS[IMPORT_KINDS] = {"route", "member", "flow"};
const char *const CTL_IMPORT_PLURALS[IMPORT_KINDS] = {"routes", "members",
                                                      "flows"};

/* Options. */

const struct option CTL_IMPORT_OPTIONS[] = {
    CTL_COMMON_OPTIONS,
    {"wait", required_argument, NULL, CTL_OPT_WAIT},
    {"format", required_argument, NULL, CTL_OPT_OWN},
    {"switch", required_argument, NULL, CTL_OPT_OWN},
    {"prefix", required_argument, NULL, CTL_OPT_OWN},
    {"address", required_argument, NULL, CTL_OPT_OWN},
    {"replace", no_argument, NULL, CTL_OPT_OWN},
    {"dry-run", no_argument, NULL, 'n'},
    {NULL, 0, NULL, 0}};

int
ctl_set_import(struct ctl_options *o, const char *option, const char *value)
{
    if (!strcmp(option, "format")) {
        o->format = value;
    } else if (!strcmp(option, "switch")) {
        o->dpid = value;
    } else if (!strcmp(option, "prefix")) {
        o->prefix = value;
    } else if (!strcmp(option, "replace")) {
        o->replace = true;
    } else {
        o->addresses = o->addresses ? o->addresses : cJSON_CreateArray();
        cJSON_AddItemToArray(o->addresses, cJSON_CreateString(value));
    }
    return CTL_OK;
}

/* Files. */

/* Up to a byte more than may be: the import says so.  NULL with errno. */
static char *
read_stream(FILE *in, size_t *size)
{
    size_t room = 65536;
    char *text = xmalloc(room);

    *size = 0;
    for (;;) {
        size_t n = fread(text + *size, 1, room - *size - 1, in);
        *size += n;
        if (!n || *size > IMPORT_MAX_TEXT) {
            break;
        }
        if (room - *size < 2) {
            room *= 2;
            text = xrealloc(text, room);
        }
    }
    text[*size] = '\0';
    if (ferror(in)) {
        free(text);
        return NULL;
    }
    return text;
}

/* NULL with errno. */
static char *
read_file(const char *name, size_t *size)
{
    bool is_stdin = !strcmp(name, "-");
    FILE *in = is_stdin ? stdin : fopen(name, "r");
    char *text = in ? read_stream(in, size) : NULL;
    int saved = errno;

    if (in && !is_stdin) {
        fclose(in);
    }
    errno = saved;
    return text;
}

/* 'pattern' as it is, if absolute; else beside the file that says it. */
static char *
path_of(const char *from, const char *pattern)
{
    const char *slash = strrchr(from, '/');

    return *pattern == '/' || !slash
               ? xstrdup(pattern)
               : xasprintf("%.*s/%s", (int) (slash - from), from, pattern);
}

static char *
include_file(const char *name, import_text_cb *cb, void *cb_aux)
{
    size_t size;
    char *text = read_file(name, &size);

    if (!text) {
        return xasprintf("%s: %s", name, strerror(errno));
    }
    if (size > IMPORT_MAX_TEXT || strlen(text) != size) {
        free(text);
        return xasprintf("%s is not a text of a sane size", name);
    }
    cb(cb_aux, name, text);
    free(text);
    return NULL;
}

/* A pattern that fits nothing is fine if it is one: an empty folder of
 * snippets. */
static char *
include(void *aux, const char *from, const char *pattern, import_text_cb *cb,
        void *cb_aux)
{
    char *path = path_of(from, pattern);
    char *problem = NULL;
    glob_t found;

    (void) aux;
    switch (glob(path, 0, NULL, &found)) {
    case 0:
        for (size_t i = 0; !problem && i < found.gl_pathc; i++) {
            problem = include_file(found.gl_pathv[i], cb, cb_aux);
        }
        globfree(&found);
        break;
    case GLOB_NOMATCH:
        if (!strpbrk(pattern, "*?[")) {
            problem = xstrdup("there is no such file");
        }
        break;
    default:
        problem = xstrdup("cannot be read");
    }
    free(path);
    return problem;
}

static const struct import_ops ops = {include, NULL};

static void
read_files(struct ctl_import *ci, int n, char *names[])
{
    for (int i = 0; i < n; i++) {
        const char *name = strcmp(names[i], "-") ? names[i] : "(stdin)";
        size_t size;
        char *text = read_file(names[i], &size);
        if (text) {
            import_text(&ci->import, ci->format, name, text, size);
            free(text);
        } else {
            import_error(&ci->import, name, 0, "cannot be read: %s",
                         strerror(errno));
        }
    }
}

/* The daemon. */

int
ctl_have_fetch(const struct ctl_options *o, struct ctl_have *have)
{
    int code = CTL_OK;

    memset(have, 0, sizeof *have);
    for (int i = 0; code == CTL_OK && i < IMPORT_KINDS; i++) {
        have->pages[i] = ctl_fetch_list(o, CTL_IMPORT_PLURALS[i], &code);
        have->lists[i] = cJSON_GetObjectItemCaseSensitive(
            have->pages[i], CTL_IMPORT_PLURALS[i]);
    }
    return code;
}

void
ctl_have_uninit(struct ctl_have *have)
{
    for (int i = 0; i < IMPORT_KINDS; i++) {
        cJSON_Delete(have->pages[i]);
    }
}

/* The only switch that is connected. */
static int
find_switch(const struct ctl_options *o, uint64_t *dpid)
{
    int code;
    struct cJSON *list = ctl_fetch_list(o, "switches", &code);
    const struct cJSON *s;
    char *names = NULL;
    int n = 0;

    cJSON_ArrayForEach (s,
                        cJSON_GetObjectItemCaseSensitive(list, "switches")) {
        const char *name = ctl_get_text(s, "dpid");
        if (ctl_get_bool(s, "connected") && dpid_parse(name, dpid)) {
            ctl_append(&names, ", ", "%s", ctl_short_dpid(name));
            n++;
        }
    }
    if (list && n != 1) {
        ctl_complain(n ? "which switch are the interfaces of? give --switch "
                         "with one of %s"
                       : "no switch is connected: say with --switch DPID "
                         "which one the interfaces are of%s",
                     n ? names : "");
        code = CTL_FAILED;
    }
    free(names);
    cJSON_Delete(list);
    return code;
}

static char *
target_of(const struct ctl_import *ci, const struct import_entry *e)
{
    const struct ctl_options *o = ci->options;
    char *name = ctl_encode(e->name);
    char timeout[48] = "";

    if (o->timeout >= 0) {
        snprintf(timeout, sizeof timeout, "&timeout=%.3f",
                 o->timeout > 60 ? 60 : o->timeout);
    }
    char *target =
        xasprintf("/v1/%s/%s?wait=%s%s", CTL_IMPORT_PLURALS[e->kind], name,
                  o->stored ? "stored" : "applied", timeout);
    free(name);
    return target;
}

/* What the daemon says to a write that it refused: for free(). */
static char *
refusal(const struct cJSON *body, int status)
{
    const char *title = ctl_get_text(body, "title");
    const char *detail = ctl_get_text(body, "detail");
    const char *pointer = ctl_get_text(body, "pointer");

    if (!*title) {
        return xasprintf("the server answered %d", status);
    }
    return xasprintf("%s%s%s%s%s%s", title, *detail ? ": " : "", detail,
                     *pointer ? " (at " : "", pointer, *pointer ? ")" : "");
}

/* The first thing that a switch still waits for. */
static const char *
waits_for(const struct cJSON *body)
{
    const struct cJSON *s;

    cJSON_ArrayForEach (s, cJSON_GetObjectItemCaseSensitive(body, "status")) {
        if (*ctl_get_text(s, "error")) {
            return ctl_get_text(s, "error");
        }
    }
    return "";
}

static int
take_answer(struct ctl_import *ci, const struct import_entry *e,
            const struct ctl_reply *reply)
{
    struct cJSON *body = cJSON_Parse(reply->body ? reply->body : "");

    if (!reply->status) {
        ctl_complain("%s", reply->error);
        cJSON_Delete(body);
        return CTL_AWAY;
    }
    if (reply->status / 100 == 2 || (!e->item && reply->status == 404)) {
        const char *state = e->item ? ctl_show_state(body) : "removed";
        ci->n_done[e->change]++;
        ctl_import_print_result(ci, e, *state ? state : "stored",
                                waits_for(body));
    } else {
        char *why = refusal(body, reply->status);
        ci->n_failed++;
        ctl_import_print_result(ci, e, "refused", why);
        free(why);
    }
    cJSON_Delete(body);
    return CTL_OK;
}

static int
write_entry(struct ctl_import *ci, const struct import_entry *e)
{
    char *target = target_of(ci, e);
    char *body = e->item ? cJSON_PrintUnformatted(e->item->json) : NULL;
    struct ctl_reply reply;

    ctl_client_request(&ci->options->client, body ? "PUT" : "DELETE", target,
                       body, &reply);
    int code = take_answer(ci, e, &reply);
    ctl_reply_uninit(&reply);
    free(target);
    free(body);
    return code;
}

/* What goes before others come: only what would stand in their way, so that
 * nothing is away longer than it must be. */
static int
write_all(struct ctl_import *ci)
{
    const struct import_diff *d = &ci->diff;
    bool replace = ci->options->replace;
    bool *gone = xcalloc(d->n + 1, sizeof *gone);
    int code = CTL_OK;

    for (size_t i = 0; replace && code == CTL_OK && i < d->n; i++) {
        gone[i] = d->entries[i].change == IMPORT_REMOVED
                  && import_diff_collides(d, &d->entries[i]);
        if (gone[i]) {
            code = write_entry(ci, &d->entries[i]);
        }
    }
    for (size_t i = 0; code == CTL_OK && i < d->n; i++) {
        if (d->entries[i].change <= IMPORT_CHANGED) {
            code = write_entry(ci, &d->entries[i]);
        }
    }
    for (size_t i = 0; replace && code == CTL_OK && i < d->n; i++) {
        if (d->entries[i].change == IMPORT_REMOVED && !gone[i]) {
            code = write_entry(ci, &d->entries[i]);
        }
    }
    free(gone);
    return code != CTL_OK ? code : ci->n_failed ? CTL_FAILED : CTL_OK;
}

/* The command. */

static int
check_options(struct ctl_import *ci)
{
    const struct ctl_options *o = ci->options;
    const struct cJSON *address;

    ci->format = o->format ? import_find_format(o->format) : NULL;
    if (!ci->format) {
        ctl_complain("%s%s%s: give --format smcroute, pymfcd, mcr, igmpproxy, "
                     "socat or ofmcast",
                     o->format ? "'" : "in which format are the files",
                     o->format ? o->format : "",
                     o->format ? "' is no format" : "?");
        return CTL_USAGE;
    }
    if (o->prefix && !import_check_prefix(o->prefix)) {
        ctl_complain("--prefix: '%s' is not 1 to %d of A-Z a-z 0-9 _ -",
                     o->prefix, IMPORT_MAX_PREFIX);
        return CTL_USAGE;
    }
    if (ci->format->has_names && (o->prefix || o->dpid)) {
        ctl_complain("names and switches stand in the file: leave --prefix "
                     "and --switch out");
        return CTL_USAGE;
    }
    if (o->addresses && !ci->format->has_addresses) {
        ctl_complain("--address says nothing to the format %s: leave it out",
                     ci->format->name);
        return CTL_USAGE;
    }
    cJSON_ArrayForEach (address, o->addresses) {
        if (!import_add_address(&ci->import, address->valuestring)) {
            ctl_complain("--address: '%s' is not of the form PORT=A.B.C.D",
                         address->valuestring);
            return CTL_USAGE;
        }
    }
    return CTL_OK;
}

/* Names and the switch; false with '*code' if there is no going on. */
static bool
settle(struct ctl_import *ci, uint64_t *dpid, int *code)
{
    const struct ctl_options *o = ci->options;

    *dpid = 0;
    if (ci->import.n_errors) {
        ctl_import_print_messages(ci);
        *code = CTL_FAILED;
        return false;
    }
    if (o->dpid && !dpid_parse(o->dpid, dpid)) {
        ctl_complain("--switch: '%s' is not the id of a switch", o->dpid);
        *code = CTL_USAGE;
        return false;
    }
    if (!o->dpid && !ci->format->has_names) {
        *code = find_switch(o, dpid);
    }
    if (*code == CTL_OK) {
        import_finish(&ci->import, ci->format, *dpid, o->prefix);
        ctl_import_print_messages(ci);
        *code = ci->import.n_errors ? CTL_FAILED : CTL_OK;
    }
    return *code == CTL_OK;
}

static int
compare_and_write(struct ctl_import *ci, uint64_t dpid)
{
    struct ctl_have have;
    int code = ctl_have_fetch(ci->options, &have);

    if (code == CTL_OK) {
        bool names = ci->format->has_names;
        char *prefix = import_prefix(ci->format, dpid, ci->options->prefix);
        import_diff_init(&ci->diff, &ci->import, have.lists,
                         names ? NULL : prefix);
        for (size_t i = 0; i < ci->diff.n; i++) {
            ctl_import_print_entry(ci, &ci->diff.entries[i]);
        }
        if (!ci->options->dry_run) {
            code = write_all(ci);
        }
        ctl_import_print_end(ci);
        import_diff_uninit(&ci->diff);
        free(prefix);
    }
    ctl_have_uninit(&have);
    return code;
}

int
ctl_run_import(struct ctl_options *o, int argc, char *argv[])
{
    struct ctl_import ci = {.options = o};
    uint64_t dpid;

    import_init(&ci.import, &ops);
    int code = check_options(&ci);
    if (code == CTL_OK) {
        read_files(&ci, argc, argv);
        if (settle(&ci, &dpid, &code)) {
            code = compare_and_write(&ci, dpid);
        }
    }
    cJSON_Delete(ci.results);
    import_uninit(&ci.import);
    return code;
}
