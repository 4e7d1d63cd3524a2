/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Members of answers, each in the one form that it has everywhere. */

#include "api/api-json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* The length of the UTF-8 character at 's' (RFC 3629: no overlong form, no
 * surrogate, nothing over U+10FFFF), 0 if it is none. */
static size_t
utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char first, last; /* Of the first byte. */
        unsigned char low, high;   /* Of the second. */
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last) {
            continue;
        }
        if (forms[i].length > 1
            && (s[1] < forms[i].low || s[1] > forms[i].high)) {
            return 0;
        }
        for (size_t j = 2; j < forms[i].length; j++) {
            if ((s[j] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

void
api_json_add_text(struct cJSON *object, const char *name, const char *text)
{
    const unsigned char *s = (const unsigned char *) (text ? text : "");
    char *clean = xmalloc(strlen((const char *) s) * 3 + 1);
    char *out = clean;

    while (*s) {
        size_t length = utf8_length(s);
        if (length) {
            memcpy(out, s, length);
            out += length;
            s += length;
        } else {
            memcpy(out, "\xef\xbf\xbd", 3);
            out += 3;
            s++;
        }
    }
    *out = '\0';
    cJSON_AddStringToObject(object, name, clean);
    free(clean);
}

void
api_json_add_seconds(struct cJSON *object, const char *name, int64_t ms)
{
    if (ms < 0 || ms == INT64_MAX) {
        cJSON_AddNullToObject(object, name);
    } else {
        cJSON_AddNumberToObject(object, name, (double) ms / 1000);
    }
}

void
api_json_add_dpid(struct cJSON *object, const char *name, uint64_t dpid)
{
    char text[DPID_STRLEN];

    cJSON_AddStringToObject(object, name, dpid_format(dpid, text));
}

void
api_json_add_ip(struct cJSON *object, const char *name,
                const struct ip_addr *ip)
{
    char text[IP_ADDR_STRLEN];

    cJSON_AddStringToObject(object, name, ip_addr_format(ip, text));
}

void
api_json_add_mac(struct cJSON *object, const char *name,
                 const struct mac_addr *mac)
{
    char text[MAC_ADDR_STRLEN];

    cJSON_AddStringToObject(object, name, mac_addr_format(mac, text));
}

void
api_json_add_port(struct cJSON *object, const struct port_id *port,
                  const char *port_name)
{
    api_json_add_dpid(object, "dpid", port->dpid);
    cJSON_AddNumberToObject(object, "port", port_id_no(port));
    if (port_id_vtep(port)) {
        struct ip_addr vtep = ip_addr_v4(port_id_vtep(port));
        api_json_add_ip(object, "vtep", &vtep);
    }
    if (port_name) {
        api_json_add_text(object, "port_name", port_name);
    }
}
