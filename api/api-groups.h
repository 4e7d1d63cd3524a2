/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_GROUPS_H
#define API_API_GROUPS_H 1

/* /v1/groups where there are very many.
 *
 * To visit 100,000 groups for each of a hundred pages would keep the event
 * loop, and every join, waiting.  So the first page of a listing keeps the
 * sorted names of all groups; its cursors say which listing they belong to,
 * and each further page looks up what it shows.  A group that comes while a
 * listing goes on is not in it; one that goes is left out.
 *
 * One listing is kept.  A cursor of another one still works: it begins a new
 * listing behind its group.
 *
 * Limits: 18 bytes for each group while a listing goes on. */

struct api_groups;

struct api_groups *api_groups_create(void);
void api_groups_destroy(struct api_groups *); /* NULL is fine. */

#endif
