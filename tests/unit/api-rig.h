/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_API_RIG_H
#define TESTS_UNIT_API_RIG_H 1

/* Asking the dispatcher over a stub controller, for tests. */

#include "api/api-dispatch.h"
#include "tests/unit/stub-ctl.h"

#define ROUTE  "{\"match\":{\"group\":\"226.2.2.2\"},\"set\":{\"ttl\":16}}"
#define OTHER  "{\"match\":{\"group\":\"226.2.2.3\"}}"
#define FLOW   "{\"dpid\":1,\"flow\":\"table=0,actions=drop\"}"
#define MEMBER "{\"dpid\":1,\"port\":\"s1-eth2\",\"group\":\"239.1.1.1\"}"

struct api_rig {
    struct api api;
    struct api_response answer; /* The last one. */
    unsigned n_answers;
    struct api_call *waiting; /* What api_dispatch() returned. */
};

/* For cmocka: '*state' is the rig. */
int api_rig_set_up(void **state);
int api_rig_tear_down(void **state);
#define API_RIG_TEST(NAME)                                                    \
    cmocka_unit_test_setup_teardown(NAME, api_rig_set_up, api_rig_tear_down)

/* Each returns the status, 0 if there is no answer yet. */
int api_rig_ask_with(struct api_rig *, struct api_request);
int api_rig_ask(struct api_rig *, enum api_method, const char *target,
                const char *body);
int api_rig_get(struct api_rig *, const char *target);
int api_rig_put(struct api_rig *, const char *target, const char *body);

/* The answer is a problem of this name, with this pointer (NULL: none). */
void api_rig_assert_problem(const struct api_rig *, int status,
                            const char *name, const char *pointer);

#endif
