/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_STORE_REPAIR_H
#define CONTROLLER_STORE_REPAIR_H 1

/* The last good generation of the store's database (state.db.1), and how a
 * damaged database is made whole from it.
 *
 * What replaces state.db is complete and synced before one rename puts it in
 * place, so that a crash at any moment leaves either the damaged file, which
 * is then mended again, or the mended one. */

#include <stdbool.h>

struct sqlite3;

bool store_has_generation(const char *dir);
/* Makes what is in 'db' the last good generation.  0 or an errno: then the
 * earlier one is kept. */
int store_save_generation(const char *dir, struct sqlite3 *db);
/* Replaces state.db by every good row of it, as far as 'damaged' lets itself
 * be read, and for the rest by the rows of the last good generation.  The
 * damaged file is kept as state.db.damaged.  0 or an errno.  Puts into
 * '*notice', which must be from malloc(), what was done. */
int store_repair(const char *dir, struct sqlite3 *damaged, const char *why,
                 char **notice);

#endif
