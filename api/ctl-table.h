/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_CTL_TABLE_H
#define API_CTL_TABLE_H 1

/* Tables and units for people.
 *
 * Cells are filled row by row; the table is printed with each column as wide
 * as it needs to be.  Control characters (a switch may send them in a name)
 * come out as '?'. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cJSON;

enum ctl_color { CTL_PLAIN, CTL_GREEN, CTL_YELLOW, CTL_RED, CTL_BOLD };

struct ctl_cell {
    char *text;
    enum ctl_color color;
};

struct ctl_table {
    const char *const *columns; /* Titles; "<" in front: align right. */
    size_t n_columns;
    struct ctl_cell *cells;
    size_t n, allocated;
};

/* 'columns' ends with NULL and must live as long as the table. */
void ctl_table_init(struct ctl_table *, const char *const *columns);
/* The next cell.  "" becomes "-". */
void ctl_table_add(struct ctl_table *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The member 'name' of an answer; its "vlan", which may be none. */
void ctl_table_add_seconds(struct ctl_table *, const struct cJSON *,
                           const char *name);
void ctl_table_add_number(struct ctl_table *, const struct cJSON *,
                          const char *name);
void ctl_table_add_vlan(struct ctl_table *, const struct cJSON *);
void ctl_table_add_color(struct ctl_table *, enum ctl_color, const char *text);
/* Prints and uninits.  Without rows: 'nothing' ("no groups"). */
void ctl_table_print(struct ctl_table *, FILE *, bool color,
                     const char *nothing);

/* Makes control characters (C0, DEL, C1) harmless, in place: text that a
 * switch chose must not move the cursor of whoever looks at it.  Returns
 * 's'. */
char *ctl_clean(char *s);

/* Puts a piece behind '*text' (NULL: nothing yet), 'separator' between. */
void ctl_append(char **text, const char *separator, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Units. */
enum { CTL_UNIT_SIZE = 32 };
const char *ctl_format_rate(double, const char *unit, char[CTL_UNIT_SIZE]);
const char *ctl_format_seconds(const struct cJSON *, char[CTL_UNIT_SIZE]);

/* Members of an answer.  What is absent is "", 0 or false. */
const char *ctl_get_text(const struct cJSON *, const char *name);
double ctl_get_number(const struct cJSON *, const char *name);
uint64_t ctl_get_u64(const struct cJSON *, const char *name);
bool ctl_get_bool(const struct cJSON *, const char *name);

#endif
