/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_JSON_H
#define API_API_JSON_H 1

/* Views as JSON (design.md 6): pure functions, one for each resource.
 *
 * Ownership: each returns a new object for the caller to cJSON_Delete(). */

#include "controller/view.h"

struct cJSON;

struct cJSON *api_json_switch(const struct view_switch *);
/* Nothing if they are NULL. */
void api_json_add_port_counters(struct cJSON *, const char *name,
                                const struct view_port_counters *);
struct cJSON *api_json_group(const struct view_group *);
struct cJSON *api_json_stream(const struct view_stream *);
struct cJSON *api_json_querier(const struct view_querier *);
struct cJSON *api_json_known_host(const struct view_known_host *);
struct cJSON *api_json_rule(const struct view_rule *);

/* Adds "name": text.  Bytes that are not UTF-8 (a switch may send what it
 * likes as a port name) become U+FFFD, so that the answer stays JSON. */
void api_json_add_text(struct cJSON *object, const char *name,
                       const char *text);
/* Adds "name": seconds with a fraction; null if 'ms' is negative (does not
 * apply) or never. */
void api_json_add_seconds(struct cJSON *object, const char *name, int64_t ms);
void api_json_add_dpid(struct cJSON *object, const char *name, uint64_t dpid);
void api_json_add_ip(struct cJSON *object, const char *name,
                     const struct ip_addr *);
void api_json_add_mac(struct cJSON *object, const char *name,
                      const struct mac_addr *);
/* "dpid", "port", "vtep" of a tunnel's end, and "port_name" unless NULL. */
void api_json_add_port(struct cJSON *object, const struct port_id *,
                       const char *port_name);
/* The text of 'object', for free(); deletes 'object'. */
char *api_json_text(struct cJSON *object);
/* The same with a newline, as a body, and its length. */
char *api_json_print(struct cJSON *object, size_t *size);
/* {"<plural>":[...],"next":"<next>"} and a newline, of items that are JSON
 * (NULL ones are left out) and freed; without "next" if that is "". */
char *api_json_page(const char *plural, char *items[], size_t n,
                    const char *next, size_t *size);

#endif
