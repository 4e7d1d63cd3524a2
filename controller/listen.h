/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_LISTEN_H
#define CONTROLLER_LISTEN_H 1

/* Addresses to listen on, for the OpenFlow and the REST listener.
 *
 * Not through getaddrinfo(): its address configuration check refuses 127.0.0.1
 * where no other interface is up, as in a bare network namespace. */

#include <sys/socket.h>

#include "controller/config.h"

/* Returns the size of the address, 0 if the host is no IP address. */
int listen_sockaddr(const struct config_listen *, struct sockaddr_storage *);

#endif
