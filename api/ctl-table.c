/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/ctl-table.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void
ctl_table_init(struct ctl_table *t, const char *const *columns)
{
    memset(t, 0, sizeof *t);
    t->columns = columns;
    while (columns[t->n_columns]) {
        t->n_columns++;
    }
}

char *
ctl_clean(char *s)
{
    for (unsigned char *p = (unsigned char *) s; *p; p++) {
        if (*p < ' ' || *p == 0x7f) {
            *p = '?';
        } else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
            p[0] = p[1] = '?';
        }
    }
    return s;
}

/* Takes ownership of 'text'. */
static void
add(struct ctl_table *t, enum ctl_color color, char *text)
{
    ctl_clean(text);
    if (!*text) {
        free(text);
        text = xstrdup("-");
    }
    t->cells = xgrow(t->cells, t->n, &t->allocated, sizeof *t->cells);
    t->cells[t->n++] = (struct ctl_cell){text, color};
}

void
ctl_table_add(struct ctl_table *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    add(t, CTL_PLAIN, text);
}

void
ctl_table_add_color(struct ctl_table *t, enum ctl_color color,
                    const char *text)
{
    add(t, color, xstrdup(text));
}

/* Characters, not bytes. */
static size_t
width_of(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        n += (*s & 0xc0) != 0x80;
    }
    return n;
}

static const char *
title_of(const char *column)
{
    return column + (*column == '<');
}

static void
print_cell(const struct ctl_table *t, FILE *out, bool color, size_t column,
           size_t width, const struct ctl_cell *cell)
{
    static const char *const codes[] = {"", "\033[32m", "\033[33m", "\033[31m",
                                        "\033[1m"};
    size_t pad = width - width_of(cell->text);
    bool right = t->columns[column][0] == '<';
    bool paint = color && cell->color != CTL_PLAIN;

    fprintf(out, "%*s%s%s%s", right ? (int) pad : 0, "",
            paint ? codes[cell->color] : "", cell->text,
            paint ? "\033[0m" : "");
    if (column + 1 < t->n_columns) {
        fprintf(out, "%*s", (right ? 0 : (int) pad) + 2, "");
    }
}

static void
print_rows(struct ctl_table *t, FILE *out, bool color)
{
    size_t *widths = xcalloc(t->n_columns, sizeof *widths);

    for (size_t i = 0; i < t->n_columns; i++) {
        widths[i] = width_of(title_of(t->columns[i]));
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t width = width_of(t->cells[i].text);
        if (width > widths[i % t->n_columns]) {
            widths[i % t->n_columns] = width;
        }
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        struct ctl_cell title = {(char *) title_of(t->columns[i]), CTL_BOLD};
        print_cell(t, out, color, i, widths[i], &title);
    }
    fputc('\n', out);
    for (size_t i = 0; i < t->n; i++) {
        size_t column = i % t->n_columns;
        print_cell(t, out, color, column, widths[column], &t->cells[i]);
        if (column + 1 == t->n_columns) {
            fputc('\n', out);
        }
    }
    free(widths);
}

void
ctl_table_print(struct ctl_table *t, FILE *out, bool color,
                const char *nothing)
{
    if (t->n) {
        print_rows(t, out, color);
    } else {
        fprintf(out, "%s\n", nothing);
    }
    for (size_t i = 0; i < t->n; i++) {
        free(t->cells[i].text);
    }
    free(t->cells);
    memset(t, 0, sizeof *t);
}

const char *
ctl_format_rate(double rate, const char *unit, char buf[CTL_UNIT_SIZE])
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    size_t i = 0;

    while (rate >= 999.95 && i < 4) {
        rate /= 1000;
        i++;
    }
    snprintf(buf, CTL_UNIT_SIZE, "%.*f %s%s", i || rate < 10 ? 1 : 0, rate,
             prefixes[i], unit);
    return buf;
}

const char *
ctl_format_seconds(const struct cJSON *item, char buf[CTL_UNIT_SIZE])
{
    if (!cJSON_IsNumber(item)) {
        return "-";
    }
    double s = item->valuedouble;
    unsigned long whole = s < 1e12 ? (unsigned long) s : 0;
    if (s < 60) {
        snprintf(buf, CTL_UNIT_SIZE, "%.1fs", s);
    } else if (s < 3600) {
        snprintf(buf, CTL_UNIT_SIZE, "%lum%02lus", whole / 60, whole % 60);
    } else if (s < 86400) {
        snprintf(buf, CTL_UNIT_SIZE, "%luh%02lum", whole / 3600,
                 whole / 60 % 60);
    } else {
        snprintf(buf, CTL_UNIT_SIZE, "%lud%02luh", whole / 86400,
                 whole / 3600 % 24);
    }
    return buf;
}

const char *
ctl_get_text(const struct cJSON *o, const char *name)
{
    const char *s =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

    return s ? s : "";
}

double
ctl_get_number(const struct cJSON *o, const char *name)
{
    const struct cJSON *item = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

uint64_t
ctl_get_u64(const struct cJSON *o, const char *name)
{
    return strtoull(ctl_get_text(o, name), NULL, 0);
}

bool
ctl_get_bool(const struct cJSON *o, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, name));
}

void
ctl_table_add_seconds(struct ctl_table *t, const struct cJSON *o,
                      const char *name)
{
    char buf[CTL_UNIT_SIZE];

    ctl_table_add(
        t, "%s",
        ctl_format_seconds(cJSON_GetObjectItemCaseSensitive(o, name), buf));
}

void
ctl_table_add_number(struct ctl_table *t, const struct cJSON *o,
                     const char *name)
{
    ctl_table_add(t, "%.0f", ctl_get_number(o, name));
}

void
ctl_table_add_vlan(struct ctl_table *t, const struct cJSON *o)
{
    double vlan = ctl_get_number(o, "vlan");

    if (vlan > 0) {
        ctl_table_add(t, "%.0f", vlan);
    } else {
        ctl_table_add(t, "-");
    }
}

void
ctl_append(char **text, const char *separator, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *piece = xvasprintf(format, args);
    va_end(args);
    char *both = xasprintf("%s%s%s", *text ? *text : "",
                           *text && **text ? separator : "", piece);
    free(piece);
    free(*text);
    *text = both;
}
