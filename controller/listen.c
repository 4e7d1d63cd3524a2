/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

int
listen_sockaddr(const struct config_listen *listen,
                struct sockaddr_storage *ss)
{
    struct sockaddr_in *in = (struct sockaddr_in *) ss;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) ss;
    memset(ss, 0, sizeof *ss);
    if (inet_pton(AF_INET, listen->host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(listen->port);
        return sizeof *in;
    }
    if (inet_pton(AF_INET6, listen->host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(listen->port);
        return sizeof *in6;
    }
    return 0;
}
