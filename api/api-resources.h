/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_RESOURCES_H
#define API_API_RESOURCES_H 1

/* The table of resources; private to api/. */

#include "api/api-call.h"

extern const struct api_resource API_RESOURCES[]; /* Until a NULL pattern. */

#endif
