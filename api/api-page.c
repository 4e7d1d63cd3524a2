/* SPDX-License-Identifier: Apache-2.0 */
/* The web page: web/index.html, made into a string by the build. */
#include <config.h>

#include "api/api-call.h"

#include "lib/xalloc.h"

static const char page[] =
#include "api/page.inc"
    ;

void
api_get_page(struct api_call *c)
{
    api_call_text(c, "text/html; charset=utf-8", xmemdup(page, sizeof page),
                  sizeof page - 1);
}
