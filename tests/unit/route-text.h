/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_ROUTE_TEXT_H
#define TESTS_UNIT_ROUTE_TEXT_H 1

/* What the tests of routes share: a route is written as its user writes it,
 * in JSON.  A route that is returned is released with route_destroy(). */

#include "controller/route.h"

/* NULL if 'text' makes no route, with the reason in '*error'. */
struct route *read_route(const char *name, const char *text,
                         struct json_error *error);

/* These fail the test unless 'text' makes a route, of the name "r", and
 * canonical_route() unless its canonical form is 'text' again. */
struct route *good_route(const char *text);
struct route *canonical_route(const char *text);

/* Fails the test unless 'text' is refused at 'pointer' (RFC 6901), with
 * 'detail' in what is said of it. */
void assert_refused(const char *text, const char *pointer, const char *detail);

/* Addresses as text. */
struct ip_addr addr(const char *);
void assert_ip(const struct ip_addr *, const char *text);

#endif
