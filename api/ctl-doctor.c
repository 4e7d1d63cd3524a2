/* SPDX-License-Identifier: Apache-2.0 */
/* "doctor": what is wrong, with evidence and cure. */
#include <config.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/ctl-command.h"
#include "api/ctl-table.h"
#include "lib/xalloc.h"

/* The exit codes of this command (jobs.md 4): those of a finding. */
enum { DOCTOR_EXIT_OK = 0, DOCTOR_EXIT_WARNING = 1, DOCTOR_EXIT_ERROR = 2 };

static int
severity_of(const struct cJSON *finding)
{
    const char *name = ctl_get_text(finding, "severity");

    return !strcmp(name, "error")     ? DOCTOR_EXIT_ERROR
           : !strcmp(name, "warning") ? DOCTOR_EXIT_WARNING
                                      : DOCTOR_EXIT_OK;
}

static const char *
color_of(int severity, bool color)
{
    static const char *const codes[] = {"\033[1m", "\033[33m", "\033[31m"};

    return color ? codes[severity] : "";
}

/* One line of 'text' behind 'label', for free() by nobody: texts are short and
 * free of control characters only after ctl_clean(). */
static void
print_part(const char *label, const struct cJSON *f, const char *member)
{
    char *text = ctl_clean(xstrdup(ctl_get_text(f, member)));

    if (*text) {
        printf("       %-9s %s\n", label, text);
    }
    free(text);
}

static void
print_finding(const struct cJSON *f, bool color)
{
    char age[CTL_UNIT_SIZE];
    int severity = severity_of(f);
    char *where = ctl_clean(xstrdup(ctl_get_text(f, "where")));
    char *text = ctl_clean(xstrdup(ctl_get_text(f, "text")));

    printf("%s%-7s%s %-4s %s, %s: %s\n", color_of(severity, color),
           ctl_get_text(f, "severity"), color ? "\033[0m" : "",
           ctl_get_text(f, "id"), ctl_get_text(f, "name"), where, text);
    print_part("evidence", f, "evidence");
    print_part("cure", f, "cure");
    printf(
        "       %-9s %s\n\n", "since",
        ctl_format_seconds(cJSON_GetObjectItemCaseSensitive(f, "age_s"), age));
    free(where);
    free(text);
}

static void
print_summary(const size_t counts[3])
{
    if (counts[1] + counts[2] == 0) {
        printf("nothing is wrong");
    } else {
        printf("%zu error%s, %zu warning%s", counts[2],
               counts[2] == 1 ? "" : "s", counts[1],
               counts[1] == 1 ? "" : "s");
    }
    printf(", %zu note%s\n", counts[0], counts[0] == 1 ? "" : "s");
}

int
ctl_run_doctor(struct ctl_options *o, int argc, char *argv[])
{
    int code;
    size_t counts[3] = {0};
    struct cJSON *json = ctl_fetch_list(o, "doctor", &code);
    const struct cJSON *list =
        cJSON_GetObjectItemCaseSensitive(json, "doctor");
    const struct cJSON *f;

    (void) argc;
    (void) argv;
    if (!json) {
        return code;
    }
    /* Worst first. */
    for (int severity = DOCTOR_EXIT_ERROR; severity >= DOCTOR_EXIT_OK;
         severity--) {
        cJSON_ArrayForEach (f, list) {
            if (severity_of(f) == severity) {
                counts[severity]++;
                if (!o->json) {
                    print_finding(f, o->color);
                }
            }
        }
    }
    if (o->json) {
        ctl_print_json(stdout, json);
    } else {
        print_summary(counts);
    }
    cJSON_Delete(json);
    return counts[2]   ? DOCTOR_EXIT_ERROR
           : counts[1] ? DOCTOR_EXIT_WARNING
                       : DOCTOR_EXIT_OK;
}
