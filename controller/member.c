/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/member.h"

#include <stdlib.h>

void
member_uninit(struct member *m)
{
    free(m->sources);
    m->sources = NULL;
    m->n_sources = 0;
}
