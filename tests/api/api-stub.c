/* SPDX-License-Identifier: Apache-2.0 */
/* The REST server over a stub controller, for tests/api/test_api.py:
 *
 *     api-stub [HOST [PORT [GROUPS]]]
 *
 * prints "listening on PORT" and serves until SIGTERM, or until its standard
 * input ends, so that it never outlives its test.  Writes named "slow..." are
 * answered after 0.2 s; a line on standard input is emitted as the type of an
 * event, "flood" as very many. */
#include <config.h>

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api-server.h"
#include "tests/unit/stub-ctl.h"

struct stub {
    struct event_base *base;
    struct ctl *ctl;
};

static void
on_signal(evutil_socket_t fd, short what, void *base)
{
    (void) fd;
    (void) what;
    event_base_loopbreak(base);
}

static void
on_timer(evutil_socket_t fd, short what, void *ctl)
{
    (void) fd;
    (void) what;
    stub_ctl_run(ctl);
}

static void
flood(struct ctl *ctl)
{
    char json[1024];

    memset(json, ' ', sizeof json);
    json[0] = '{';
    strcpy(json + sizeof json - 2, "}");
    for (int i = 0; i < 20000; i++) {
        stub_ctl_emit(ctl, "flood", json);
    }
}

static void
on_input(evutil_socket_t fd, short what, void *aux)
{
    struct stub *stub = aux;
    char line[256];
    ssize_t n = read(fd, line, sizeof line - 1);

    (void) what;
    if (n <= 0) {
        event_base_loopbreak(stub->base);
        return;
    }
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (!strcmp(line, "flood")) {
        flood(stub->ctl);
    } else {
        stub_ctl_emit(stub->ctl, line, "{\"n\":1}");
    }
}

int
main(int argc, char *argv[])
{
    struct config_listen listen = {.host = "127.0.0.1"};
    char error[CONFIG_ERROR_SIZE];
    struct stub stub = {.base = event_base_new(), .ctl = stub_ctl_create()};

    signal(SIGPIPE, SIG_IGN);
    if (argc > 1) {
        snprintf(listen.host, sizeof listen.host, "%s", argv[1]);
    }
    if (argc > 2) {
        listen.port = (uint16_t) strtoul(argv[2], NULL, 10);
    }
    if (argc > 3) {
        stub_ctl_set_groups(stub.ctl, strtoul(argv[3], NULL, 10));
    }
    struct api_server *server =
        api_server_create(stub.base, stub.ctl, &listen, error);
    if (!server) {
        fprintf(stderr, "%s\n", error);
        stub_ctl_destroy(stub.ctl);
        event_base_free(stub.base);
        libevent_global_shutdown();
        return 1;
    }
    struct event *term =
        evsignal_new(stub.base, SIGTERM, on_signal, stub.base);
    struct event *input = event_new(stub.base, STDIN_FILENO,
                                    EV_READ | EV_PERSIST, on_input, &stub);
    struct event *timer =
        event_new(stub.base, -1, EV_PERSIST, on_timer, stub.ctl);
    event_add(term, NULL);
    event_add(input, NULL);
    event_add(timer, &(struct timeval){0, 200000});
    printf("listening on %u\n", api_server_port(server));
    fflush(stdout);
    event_base_dispatch(stub.base);
    event_free(term);
    event_free(input);
    event_free(timer);
    api_server_destroy(server);
    stub_ctl_destroy(stub.ctl);
    event_base_free(stub.base);
    libevent_global_shutdown();
    return 0;
}
