/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_PROBLEM_H
#define API_API_PROBLEM_H 1

/* What went wrong, for programs and for people: RFC 9457. */

#include "api/api-request.h"

extern const char API_PROBLEM_TYPE[]; /* "application/problem+json" */

/* What is wrong.  The name is part of the contract: clients tell problems
 * apart by it, not by the title. */
struct api_problem {
    int status;
    const char *name;    /* "invalid": type "urn:ofmcast:problem:invalid". */
    const char *title;   /* The same for every problem of this name. */
    const char *detail;  /* This occurrence; "" = nothing to add. */
    const char *pointer; /* RFC 6901, into the body; NULL = not in a body. */
};

/* Makes 'r' (whose body must be unset) the answer. */
void api_problem_respond(struct api_response *r, const struct api_problem *);

#endif
