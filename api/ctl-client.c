/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "api/ctl-client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/xalloc.h"

bool
ctl_client_init(struct ctl_client *c, const char *url, double timeout)
{
    const char *host = strncmp(url, "http://", 7) ? url : url + 7;
    bool bracket = *host == '[';

    memset(c, 0, sizeof *c);
    c->timeout = timeout;
    host += bracket;
    size_t length = strcspn(host, bracket ? "]" : ":/");
    const char *rest = host + length;
    if (!length || length >= sizeof c->host || (bracket && *rest++ != ']')) {
        return false;
    }
    memcpy(c->host, host, length);
    strcpy(c->port, "8080");
    if (*rest == ':') {
        size_t digits = strspn(++rest, "0123456789");
        if (!digits || digits > 5) {
            return false;
        }
        snprintf(c->port, sizeof c->port, "%.*s", (int) digits, rest);
        rest += digits;
    }
    snprintf(c->url, sizeof c->url,
             bracket ? "http://[%s]:%s" : "http://%s:%s", c->host, c->port);
    return !*rest || !strcmp(rest, "/");
}

static void __attribute__((format(printf, 2, 3)))
fail(struct ctl_reply *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->error, sizeof r->error, format, args);
    va_end(args);
    r->status = 0;
}

/* Waits until 'fd' is ready for 'events'; errno if it does not get so. */
static bool
wait_for(int fd, short events, double timeout)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n;

    do {
        n = poll(&p, 1, timeout < 0 ? -1 : (int) (timeout * 1000));
    } while (n < 0 && errno == EINTR);
    if (!n) {
        errno = ETIMEDOUT;
    }
    return n > 0;
}

static bool
connect_to(int fd, const struct addrinfo *ai, double timeout)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (!connect(fd, ai->ai_addr, ai->ai_addrlen)) {
        return true;
    }
    if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, timeout)) {
        return false;
    }
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    return !error;
}

/* -1 with 'r' filled in if the daemon cannot be reached. */
static int
open_connection(const struct ctl_client *c, struct ctl_reply *r)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    int saved = 0;

    int error = getaddrinfo(c->host, c->port, &hints, &list);
    if (error) {
        fail(r, "cannot reach %s: %s; try --api URL", c->url,
             gai_strerror(error));
        return -1;
    }
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
        int fd = socket(ai->ai_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect_to(fd, ai, c->timeout)) {
            freeaddrinfo(list);
            return fd;
        }
        saved = errno;
        if (fd >= 0) {
            close(fd);
        }
    }
    freeaddrinfo(list);
    fail(r, "cannot reach %s: %s; is ofmcastd running? try --api URL", c->url,
         strerror(saved));
    return -1;
}

static bool
send_all(int fd, const char *data, size_t size, double timeout)
{
    while (size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!wait_for(fd, POLLOUT, timeout)) {
                return false;
            }
        } else if (n < 0) {
            return false;
        } else {
            data += n;
            size -= (size_t) n;
        }
    }
    return true;
}

/* Appends what comes to the reply; 0 at the end, -1 with errno. */
static ssize_t
receive(int fd, struct ctl_reply *r, size_t *room, double timeout)
{
    if (*room - r->size < 4096) {
        *room = 2 * *room + 8192;
        r->body = xrealloc(r->body, *room);
    }
    for (;;) {
        ssize_t n = recv(fd, r->body + r->size, *room - r->size - 1, 0);
        if (n >= 0) {
            r->size += (size_t) n;
            r->body[r->size] = '\0';
            return n;
        }
        if (errno != EAGAIN || !wait_for(fd, POLLIN, timeout)) {
            return -1;
        }
    }
}

/* Takes the head off the reply. */
static bool
parse_head(struct ctl_reply *r)
{
    char *end = r->body ? strstr(r->body, "\r\n\r\n") : NULL;
    int status;

    if (!end || sscanf(r->body, "HTTP/1.%*1d %3d", &status) != 1) {
        return false;
    }
    r->status = status;
    r->size -= (size_t) (end + 4 - r->body);
    memmove(r->body, end + 4, r->size + 1);
    return true;
}

static int
begin(const struct ctl_client *c, const char *method, const char *target,
      const char *headers, const char *body, struct ctl_reply *r)
{
    memset(r, 0, sizeof *r);
    int fd = open_connection(c, r);
    if (fd < 0) {
        return -1;
    }
    char *head =
        xasprintf("%s %s HTTP/1.0\r\nHost: %s\r\n%s"
                  "User-Agent: ofmcastctl/" PACKAGE_VERSION "\r\n",
                  method, target, c->url + strlen("http://"), headers);
    char *text = body ? xasprintf("%sContent-Type: application/json\r\n"
                                  "Content-Length: %zu\r\n\r\n%s",
                                  head, strlen(body), body)
                      : xasprintf("%s\r\n", head);
    /* If the server has had enough before it has read all, its answer says
     * why: go on to read it. */
    if (!send_all(fd, text, strlen(text), c->timeout) && errno != EPIPE
        && errno != ECONNRESET) {
        fail(r, "cannot send to %s: %s", c->url, strerror(errno));
        close(fd);
        fd = -1;
    }
    free(head);
    free(text);
    return fd;
}

void
ctl_client_request(const struct ctl_client *c, const char *method,
                   const char *target, const char *body, struct ctl_reply *r)
{
    size_t room = 0;
    ssize_t n;
    int fd = begin(c, method, target, "", body, r);

    if (fd < 0) {
        return;
    }
    do {
        n = receive(fd, r, &room, c->timeout);
    } while (n > 0 && r->size < CTL_MAX_REPLY);
    if (n < 0) {
        fail(r, "no answer from %s: %s", c->url, strerror(errno));
    } else if (n > 0) {
        fail(r, "the answer from %s is too long", c->url);
    } else if (!parse_head(r)) {
        fail(r, "%s does not speak HTTP; is that ofmcastd? try --api URL",
             c->url);
    }
    close(fd);
}

void
ctl_reply_uninit(struct ctl_reply *r)
{
    free(r->body);
    memset(r, 0, sizeof *r);
}

/* Gives each whole line to 'cb' and forgets it. */
static bool
take_lines(struct ctl_reply *r, ctl_line_cb *cb, void *aux)
{
    char *line = r->body;
    char *end;
    bool more = true;

    while (more && (end = memchr(line, '\n', r->size))) {
        *end = '\0';
        r->size -= (size_t) (end + 1 - line);
        more = cb(aux, line);
        line = end + 1;
    }
    memmove(r->body, line, r->size + 1);
    return more;
}

void
ctl_client_stream(const struct ctl_client *c, const char *target,
                  const char *headers, ctl_line_cb *cb, void *aux,
                  struct ctl_reply *r)
{
    size_t room = 0;
    bool head = true;
    bool more = true;
    ssize_t n = 0;
    int fd = begin(c, "GET", target, headers, NULL, r);

    if (fd < 0) {
        return;
    }
    /* Events may be far apart, but the server says something now and then. */
    while (more && (n = receive(fd, r, &room, 60)) > 0) {
        if (head) {
            head = !parse_head(r);
        }
        if (!head && r->status == 200) {
            more = take_lines(r, cb, aux);
        }
    }
    if (more && n < 0) {
        fail(r, "lost %s: %s", c->url, strerror(errno));
    } else if (head) {
        fail(r, "%s does not speak HTTP; is that ofmcastd? try --api URL",
             c->url);
    }
    close(fd);
}
