/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* ofmcastd: puts the controller and the REST API on one event loop.  It stands
 * in api/, the uppermost layer, because it is above both. */

#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "api/api-server.h"
#include "controller/config.h"
#include "controller/ctl.h"
#include "controller/log.h"
#include "lib/xalloc.h"

VLOG_DEFINE_THIS_MODULE(ofmcastd);

struct options {
    const char *config_file; /* NULL = defaults. */
    const char *openflow, *api, *state_dir;
    bool check_config, verbose;
};

struct daemon {
    struct options options;
    struct event_base *base;
    struct config *config;
    struct ctl *ctl;
};

static void
usage(FILE *out)
{
    fputs("ofmcastd, an OpenFlow controller for multicast\n"
          "usage: ofmcastd [OPTIONS]\n"
          "  --config FILE            YAML configuration\n"
          "  --check-config           check it and exit\n"
          "  --openflow tcp:IP:PORT   where switches connect "
          "(tcp:127.0.0.1:6653)\n"
          "  --api IP:PORT            REST API (127.0.0.1:8080)\n"
          "  --state-dir DIR          what must survive "
          "(/var/lib/ofmcast)\n"
          "  -v, --verbose            log every detail\n"
          "  -h, --help; -V, --version\n"
          "Runs in the foreground, logs to stderr. SIGTERM ends it, SIGHUP\n"
          "reads the configuration again. Options win over the file.\n",
          out);
}

static void
parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 'C'},
        {"openflow", required_argument, NULL, 'o'},
        {"api", required_argument, NULL, 'a'},
        {"state-dir", required_argument, NULL, 's'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0}};
    const char **values[] = {['c'] = &o->config_file,
                             ['o'] = &o->openflow,
                             ['a'] = &o->api,
                             ['s'] = &o->state_dir};
    int c;
    while ((c = getopt_long(argc, argv, "vhV", longs, NULL)) != -1) {
        switch (c) {
        case 'v':
            o->verbose = true;
            break;
        case 'C':
            o->check_config = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        case 'V':
            puts("ofmcastd " PACKAGE_VERSION);
            exit(0);
        case '?':
            fputs("ofmcastd: see ofmcastd --help\n", stderr);
            exit(2);
        default:
            *values[c] = optarg;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "ofmcastd: \"%s\" is no option; see --help\n",
                argv[optind]);
        exit(2);
    }
}

/* The file's configuration with the options on top; NULL if it is refused. */
static struct config *
load_config(const struct options *o, char error[CONFIG_ERROR_SIZE])
{
    struct config *config =
        o->config_file ? config_load(o->config_file, error) : config_default();
    if (!config) {
        return NULL;
    }
    const char *bad =
        o->openflow
                && !config_listen_parse(o->openflow, true, &config->openflow)
            ? o->openflow
        : o->api && !config_listen_parse(o->api, false, &config->api) ? o->api
                                                                      : NULL;
    if (bad) {
        snprintf(error, CONFIG_ERROR_SIZE,
                 "\"%s\" is no address to listen on: give %s", bad,
                 bad == o->api ? "IP:PORT" : "tcp:IP:PORT");
        config_destroy(config);
        return NULL;
    }
    if (o->state_dir) {
        free(config->state_dir);
        config->state_dir = xstrdup(o->state_dir);
    }
    return config;
}

static void
end_cb(int signal, short what, void *d_)
{
    (void) what;
    struct daemon *d = d_;
    VLOG_INFO("%s: ending; the switches go on forwarding", strsignal(signal));
    event_base_loopbreak(d->base);
}

static void
reload_cb(int signal, short what, void *d_)
{
    (void) signal;
    (void) what;
    struct daemon *d = d_;
    char text[CONFIG_ERROR_SIZE];
    struct config *config = load_config(&d->options, text);
    if (!config) {
        VLOG_ERR("the configuration stays as it was: %s", text);
        return;
    }
    ctl_reconfigure(d->ctl, config, text);
    config_destroy(d->config);
    d->config = config;
    VLOG_INFO("configuration read again%s%s", text[0] ? "; " : "", text);
}

/* A switch is a file descriptor: be ready for many. */
static void
raise_fd_limit(void)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int
serve(struct daemon *d)
{
    char error[CONFIG_ERROR_SIZE];
    if (d->config->notice[0]) {
        VLOG_WARN("%s", d->config->notice);
    }
    d->ctl = ctl_create(d->base, d->config, error);
    if (!d->ctl) {
        VLOG_ERR("%s", error);
        return 1;
    }
    struct api_server *api =
        api_server_create(d->base, d->ctl, &d->config->api, error);
    int status = 1;
    if (api) {
        VLOG_INFO("REST API on http://%s:%u", d->config->api.host,
                  api_server_port(api));
        event_base_dispatch(d->base);
        status = 0;
    } else {
        VLOG_ERR("%s", error);
    }
    api_server_destroy(api);
    ctl_destroy(d->ctl);
    return status;
}

static void
daemon_run(struct daemon *d, int *status)
{
    d->base = event_base_new();
    struct event *events[] = {
        evsignal_new(d->base, SIGTERM, end_cb, d),
        evsignal_new(d->base, SIGINT, end_cb, d),
        evsignal_new(d->base, SIGHUP, reload_cb, d),
    };
    const size_t n = sizeof events / sizeof *events;
    for (size_t i = 0; i < n; i++) {
        event_add(events[i], NULL);
    }
    *status = serve(d);
    for (size_t i = 0; i < n; i++) {
        event_free(events[i]);
    }
    event_base_free(d->base);
}

int
main(int argc, char **argv)
{
    struct daemon d = {.options = {.config_file = NULL}};
    char error[CONFIG_ERROR_SIZE];
    parse_options(argc, argv, &d.options);
    log_init("ofmcastd", PACKAGE_VERSION, d.options.verbose);
    signal(SIGPIPE, SIG_IGN);
    raise_fd_limit();

    d.config = load_config(&d.options, error);
    if (!d.config) {
        fprintf(stderr, "ofmcastd: %s\n", error);
        return 1;
    }
    int status = 0;
    if (d.options.check_config) {
        puts("the configuration is good");
    } else {
        event_set_mem_functions(xmalloc, xrealloc, free);
        daemon_run(&d, &status);
        libevent_global_shutdown();
    }
    config_destroy(d.config);
    return status;
}
