/* SPDX-License-Identifier: Apache-2.0 */
/* ofmcastctl: the command line of ofmcastd's REST API. */
#include <config.h>

#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/ctl-command.h"

enum { DEFAULT_TIMEOUT_S = 10, EXTRA_TIMEOUT_S = 5 };
static const char default_api[] = "http://127.0.0.1:8080";

enum {
    OPT_MATCH = CTL_OPT_OWN + 1,
    OPT_SET,
    OPT_TO,
    OPT_GROUP,
    OPT_MEMBER,
    OPT_EXCLUDE,
    OPT_STOP
};

#define COMMON_LETTERS "jt:hV"

static const struct option common_options[] = {CTL_COMMON_OPTIONS,
                                               {NULL, 0, NULL, 0}};
static const struct option show_options[] = {
    CTL_COMMON_OPTIONS,
    {"watch", optional_argument, NULL, 'w'},
    {"format", required_argument, NULL, 'f'},
    {NULL, 0, NULL, 0}};
static const struct option write_options[] = {
    CTL_COMMON_OPTIONS,
    {"wait", required_argument, NULL, CTL_OPT_WAIT},
    {NULL, 0, NULL, 0}};
static const struct option flow_options[] = {
    CTL_COMMON_OPTIONS,
    {"wait", required_argument, NULL, CTL_OPT_WAIT},
    {"group", no_argument, NULL, OPT_GROUP},
    {NULL, 0, NULL, 0}};
static const struct option route_options[] = {
    CTL_COMMON_OPTIONS,
    {"wait", required_argument, NULL, CTL_OPT_WAIT},
    {"set", required_argument, NULL, OPT_SET},
    {"to", required_argument, NULL, OPT_TO},
    {"dpid", required_argument, NULL, OPT_MATCH},
    {"port", required_argument, NULL, OPT_MATCH},
    {"vlan", required_argument, NULL, OPT_MATCH},
    {"source", required_argument, NULL, OPT_MATCH},
    {"group", required_argument, NULL, OPT_MATCH},
    {"unicast", required_argument, NULL, OPT_MATCH},
    {"proto", required_argument, NULL, OPT_MATCH},
    {"udp-dst", required_argument, NULL, OPT_MATCH},
    {NULL, 0, NULL, 0}};

static const struct option member_options[] = {
    CTL_COMMON_OPTIONS,
    {"wait", required_argument, NULL, CTL_OPT_WAIT},
    {"switch", required_argument, NULL, OPT_MEMBER},
    {"dpid", required_argument, NULL, OPT_MEMBER},
    {"port", required_argument, NULL, OPT_MEMBER},
    {"vlan", required_argument, NULL, OPT_MEMBER},
    {"group", required_argument, NULL, OPT_MEMBER},
    {"source", required_argument, NULL, OPT_MEMBER},
    {"router", no_argument, NULL, OPT_MEMBER},
    {"exclude", no_argument, NULL, OPT_EXCLUDE},
    {"lease", required_argument, NULL, OPT_MEMBER},
    {NULL, 0, NULL, 0}};

static const struct option tap_options[] = {
    CTL_COMMON_OPTIONS,
    {"switch", required_argument, NULL, OPT_MEMBER},
    {"dpid", required_argument, NULL, OPT_MEMBER},
    {"port", required_argument, NULL, OPT_MEMBER},
    {"vlan", required_argument, NULL, OPT_MEMBER},
    {"source", required_argument, NULL, OPT_MEMBER},
    {"lease", required_argument, NULL, OPT_MEMBER},
    {"stop", no_argument, NULL, OPT_STOP},
    {NULL, 0, NULL, 0}};

struct command {
    const char *first, *second; /* Words; 'second' may be NULL. */
    int min_args, max_args;
    const struct option *options;
    const char *letters;
    ctl_run *run;
    const char *usage, *help;
    ctl_set *set; /* For CTL_OPT_OWN. */
};

static const struct command commands[] = {
    {"show", "events", 0, 0, common_options, COMMON_LETTERS, ctl_run_events,
     "show events",
     "  Prints what happens (joins, leaves, switches coming and going) as it\n"
     "  happens, until interrupted.\n",
     NULL},
    {"show", NULL, 1, 3, show_options, COMMON_LETTERS "w::f:", ctl_run_show,
     "show switches [DPID] | ports [DPID] | groups [VLAN GROUP] | hosts |\n"
     "            streams |\n"
     "            queriers | members [NAME] | routes [NAME] | flows [NAME] |\n"
     "            topology | tree VLAN GROUP |\n"
     "            events",
     "  ports     what the switches count at their ports\n"
     "  groups    who gets what: ports, their filters, the hosts behind them\n"
     "  hosts     who has joined anything, and where\n"
     "  queriers  who queries, and which ports lead to routers\n"
     "  members   static members and static router ports\n"
     "  topology  the fabric's switches and links, from the roots of trees "
     "on\n"
     "  tree      the way of a group through the fabric\n"
     "  -w, --watch[=SECONDS]  show it again and again (every 2 seconds),\n"
     "                         until interrupted\n"
     "  -f, --format=FORMAT    of routes, with learned channels: iproute (as\n"
     "                         ip mroute show), iproute-stats (ip -s), or\n"
     "                         mr_cache (as /proc/net/ip_mr_cache)\n",
     NULL},
    {"route", "add", 1, 64, route_options, COMMON_LETTERS, ctl_run_route_add,
     "route add NAME FILE | - | OPTIONS",
     "  Which stream (or as key=value words):\n"
     "      --group ADDRESS[/LEN]    where it goes; the one that is needed\n"
     "      --unicast ADDRESS        or this, of a host\n"
     "      --source ADDRESS[/LEN]   who sends it\n"
     "      --dpid DPID --port PORT  where it enters; * and ? in a name fit\n"
     "                               several ports\n"
     "      --vlan N  --proto PROTO  --udp-dst PORT\n"
     "  What is rewritten, as often as needed:\n"
     "      --set source=ADDRESS[/LEN] | source_pool=ADDRESS/LEN |\n"
     "            group=ADDRESS[/LEN] | udp_dst=PORT | ttl=N | dscp=N |\n"
     "            eth_src=MAC|auto | eth_dst=MAC | vlan=N |\n"
     "            reply_to=true|ADDRESS/LEN\n"
     "  Where its copies go, as often as needed (members, if not given):\n"
     "      --to members | nobody | vlan=N | DPID:PORT[,when=joined] |\n"
     "           unicast=ADDRESS[,via=ADDRESS][,vlan=N]\n"
     "           vtep:ADDRESS[#VNI]\n"
     "           with [,key=value...] of --set for this copy alone\n"
     "      --wait applied|stored    answer when the switches have confirmed\n"
     "                               (the default), or when it is durable\n"
     "  FILE (- is standard input) holds the route as JSON instead.\n"
     "\n"
     "  ofmcastctl route add hdmi --source 192.168.168.55 --group 226.2.2.2 "
     "\\\n"
     "      --set source=10.1.0.10 --set ttl=16\n",
     NULL},
    {"route", "rm", 1, 1, write_options, COMMON_LETTERS, ctl_run_route_rm,
     "route rm NAME", "      --wait applied|stored\n", NULL},
    {"route", "neutral", 2, 4, common_options, COMMON_LETTERS,
     ctl_run_route_neutral, "route neutral SOURCE POOL [GROUP NEW-GROUP]",
     "  The first address in the prefix POOL that may take the place of "
     "SOURCE\n"
     "  without a change of checksums, so that large datagrams pass the "
     "route;\n"
     "  GROUP is what NEW-GROUP takes the place of, if anything.\n"
     "\n"
     "  ofmcastctl route neutral 192.168.168.55 10.1.0.0/16\n",
     NULL},
    {"route", "show", 1, 1, common_options, COMMON_LETTERS, ctl_run_route_show,
     "route show NAME", "", NULL},
    {"member", "add", 1, 2, member_options, COMMON_LETTERS, ctl_run_member_add,
     "member add NAME OPTIONS | FILE | -",
     "  A port that gets a stream without asking for it:\n"
     "      --switch DPID --port PORT  where; by name or number\n"
     "      --vlan N                   0 (untagged) if not given\n"
     "      --group ADDRESS            what it gets\n"
     "      --source A,B               only from these (every source, if not\n"
     "                                 given)\n"
     "      --exclude                  from all but these\n"
     "      --lease SECONDS            it ends by itself\n"
     "  or one that leads to a router, which gets every group:\n"
     "      --router                   instead of --group\n"
     "      --wait applied|stored\n"
     "  It may name a port that is not there yet, and holds until it is\n"
     "  removed. FILE (- is standard input) holds it as JSON instead.\n"
     "\n"
     "  ofmcastctl member add recorder --switch 1 --port s1-eth7 \\\n"
     "      --group 239.1.1.1 --source 10.1.0.5\n"
     "  ofmcastctl member add uplink --switch 1 --port s1-eth9 --router\n",
     NULL},
    {"tap", NULL, 1, 1, tap_options, COMMON_LETTERS, ctl_run_tap,
     "tap GROUP --switch DPID --port PORT",
     "  A copy of a stream to a port, to listen there for a while:\n"
     "      --vlan N         0 (untagged) if not given\n"
     "      --source A,B     only from these\n"
     "      --lease SECONDS  it ends by itself; 60 if not given\n"
     "      --stop           it ends now\n"
     "  What others get does not change. The same command renews it.\n",
     NULL},
    {"member", "rm", 1, 1, write_options, COMMON_LETTERS, ctl_run_member_rm,
     "member rm NAME", "      --wait applied|stored\n", NULL},
    {"member", "show", 1, 1, common_options, COMMON_LETTERS,
     ctl_run_member_show, "member show NAME", "", NULL},
    {"flow", "add", 3, 3, flow_options, COMMON_LETTERS, ctl_run_flow_add,
     "flow add NAME DPID TEXT",
     "      --group                TEXT is a group, not a flow\n"
     "      --wait applied|stored\n"
     "  TEXT is in the syntax of ovs-ofctl:\n"
     "  ofmcastctl flow add f1 1 'table=0,udp,nw_dst=226.2.2.2,actions=drop'\n"
     "  ofmcastctl flow add --group g5 1 "
     "'group_id=5,type=all,bucket=output:2'\n",
     NULL},
    {"flow", "rm", 1, 1, write_options, COMMON_LETTERS, ctl_run_flow_rm,
     "flow rm NAME", "      --wait applied|stored\n", NULL},
    {"flow", "show", 1, 1, common_options, COMMON_LETTERS, ctl_run_flow_show,
     "flow show NAME", "", NULL},
    {"explain", NULL, 0, 0, CTL_EXPLAIN_OPTIONS, COMMON_LETTERS,
     ctl_run_explain,
     "explain --switch DPID --in-port PORT --source ADDRESS --group ADDRESS",
     "  Why a port gets a stream, or does not: the way of its packets, stage\n"
     "  by stage, and who gets copies.\n"
     "      --switch DPID --in-port PORT  where they enter\n"
     "      --source A (--src) --group G  whose they are\n"
     "      --vlan N  --udp-dst P (--dport)  --ttl N  --size BYTES\n"
     "      --to PORT | MAC | ADDRESS     the port, or the host, to ask "
     "about\n"
     "      --to-switch DPID              where that is another switch\n"
     "      --live N       wait for N packets (at most 5 s), show what came\n"
     "                     and what the switch makes of it\n"
     "      --no-trace     do not ask Open vSwitch itself (ofproto/trace)\n"
     "      --vswitchd T   its control socket, or name (ovs-appctl -t T)\n"
     "  Exits with 0 if it gets there (anywhere, without --to), 1 if not, or\n"
     "  if Open vSwitch does not do what it should.\n",
     ctl_set_explain},
    {"doctor", NULL, 0, 0, common_options, COMMON_LETTERS, ctl_run_doctor,
     "doctor",
     "  What is wrong, by what it was seen, and what to do.  Exits with 0 if\n"
     "  nothing is, 1 if there are warnings, 2 if there are errors.\n",
     NULL},
    {"import", NULL, 1, 1024, CTL_IMPORT_OPTIONS, COMMON_LETTERS "n",
     ctl_run_import, "import --format FORMAT [OPTIONS] FILE... | -",
     "  Makes routes and members of another system's configuration:\n"
     "      --format smcroute    smcroute.conf\n"
     "               pymfcd      state.json, or what mfc_cli show prints\n"
     "               mcr         MCR's JSON5\n"
     "               igmpproxy   igmpproxy.conf, also of the fork for MUT\n"
     "               socat       command lines, in scripts\n"
     "               ofmcast     what export has written\n"
     "      --switch DPID        whose ports its interfaces are (the only "
     "one)\n"
     "      --address PORT=ADDR  what address an interface had there\n"
     "  -n, --dry-run            only say what would change\n"
     "      --replace            remove what an earlier import made and the\n"
     "                           files do not have any more (ofmcast: all "
     "that\n"
     "                           they do not have)\n"
     "      --prefix NAME        of the names, before a dot (FORMAT-SWITCH)\n"
     "      --wait applied|stored\n"
     "  An error is told as FILE:LINE, and then nothing is written.\n"
     "\n"
     "  ofmcastctl import --format smcroute --dry-run /etc/smcroute.conf\n",
     ctl_set_import},
    {"export", NULL, 0, 0, common_options, COMMON_LETTERS, ctl_run_export,
     "export",
     "  Prints all routes, members and flows as a file for import --format\n"
     "  ofmcast.\n",
     NULL},
    {"verify", NULL, 0, 0, common_options, COMMON_LETTERS, ctl_run_verify,
     "verify",
     "  Whether the switches have what they should have.  Exits with 1 if\n"
     "  one that is connected has not, or if none is connected.\n",
     NULL},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void
print_common_help(void)
{
    printf("\nEverywhere:\n"
           "      --api URL      where ofmcastd is (default: $OFMCAST_API or\n"
           "                     %s)\n"
           "  -j, --json         print the server's JSON\n"
           "  -t, --timeout S    wait so long for an answer\n"
           "  -h, --help         help on a command\n"
           "  -V, --version\n"
           "\n"
           "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 5 daemon "
           "away.\n",
           default_api);
}

static void
print_help(const struct command *command)
{
    if (command) {
        printf("ofmcastctl [OPTIONS] %s\n%s", command->usage, command->help);
    } else {
        puts("ofmcastctl [OPTIONS] COMMAND\n\nCommands:");
        for (size_t i = 0; i < N_COMMANDS; i++) {
            printf("  %s\n", commands[i].usage);
        }
    }
    print_common_help();
}

static bool
parse_seconds(const char *s, double *seconds)
{
    char *end;

    *seconds = strtod(s, &end);
    return end > s && !*end && *seconds >= 0 && *seconds <= 86400;
}

static int
set_wait(struct ctl_options *o, const char *value)
{
    o->stored = !strcmp(value, "stored");
    if (!o->stored && strcmp(value, "applied")) {
        ctl_complain("--wait: '%s' is neither applied nor stored", value);
        return CTL_USAGE;
    }
    return CTL_OK;
}

/* The seconds may follow as a word: getopt would not take it. */
static int
set_watch(struct ctl_options *o, int argc, char *argv[])
{
    double seconds;

    o->watch = true;
    o->interval = 2;
    if (optarg) {
        if (!parse_seconds(optarg + (*optarg == '='), &o->interval)) {
            ctl_complain("--watch: '%s' is not a number of seconds", optarg);
            return CTL_USAGE;
        }
    } else if (optind < argc && parse_seconds(argv[optind], &seconds)) {
        o->interval = seconds;
        optind++;
    }
    if (o->interval < 0.1) {
        o->interval = 0.1;
    }
    return CTL_OK;
}

static int
usage_unless(bool good)
{
    return good ? CTL_OK : CTL_USAGE;
}

/* 'index' is that of the long option. */
static int
set_option(struct ctl_options *o, const struct command *command, int c,
           int index, int argc, char *argv[])
{
    switch (c) {
    case CTL_OPT_API:
        o->api = optarg;
        return CTL_OK;
    case 'j':
        o->json = true;
        return CTL_OK;
    case 't':
        if (!parse_seconds(optarg, &o->timeout)) {
            ctl_complain("--timeout: '%s' is not a number of seconds", optarg);
            return CTL_USAGE;
        }
        return CTL_OK;
    case 'h':
        print_help(command);
        exit(CTL_OK);
    case 'V':
        puts("ofmcastctl " PACKAGE_VERSION);
        exit(CTL_OK);
    case 'w':
        return set_watch(o, argc, argv);
    case 'f':
        o->format = optarg;
        return CTL_OK;
    case CTL_OPT_WAIT:
        return set_wait(o, optarg);
    case OPT_GROUP:
        o->is_group = true;
        return CTL_OK;
    case OPT_MATCH:
        return usage_unless(
            ctl_add_value(&o->match, command->options[index].name, optarg));
    case OPT_MEMBER:
        return usage_unless(ctl_add_member_value(
            &o->member, command->options[index].name, optarg));
    case OPT_EXCLUDE:
        o->exclude = true;
        return CTL_OK;
    case 'n':
        o->dry_run = true;
        return CTL_OK;
    case CTL_OPT_OWN:
        return command->set(o, command->options[index].name, optarg);
    case OPT_STOP:
        o->stop = true;
        return CTL_OK;
    case OPT_SET:
        return usage_unless(ctl_add_pair(&o->set, optarg));
    case OPT_TO:
        return usage_unless(ctl_add_target(&o->to, optarg));
    default: /* getopt has said what is wrong. */
        return CTL_USAGE;
    }
}

static int
parse_options(struct ctl_options *o, const struct command *command, int argc,
              char *argv[])
{
    int index = 0;
    int c;

    while ((c = getopt_long(
                argc, argv, command ? command->letters : "+" COMMON_LETTERS,
                command ? command->options : common_options, &index))
           != -1) {
        int code = set_option(o, command, c, index, argc, argv);
        if (code != CTL_OK) {
            return code;
        }
    }
    return CTL_OK;
}

/* By one or two words; '*n_words' is how many. */
static const struct command *
find_command(int argc, char *argv[], int *n_words)
{
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const struct command *c = &commands[i];
        *n_words = c->second ? 2 : 1;
        if (argc >= *n_words && !strcmp(argv[0], c->first)
            && (!c->second || !strcmp(argv[1], c->second))) {
            return c;
        }
    }
    return NULL;
}

static int
complain_of_command(int argc, char *argv[])
{
    if (!argc) {
        ctl_complain("no command given: see ofmcastctl --help");
    } else {
        ctl_complain("there is no command '%s%s%s': see ofmcastctl --help",
                     argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    }
    return CTL_USAGE;
}

static int
run(struct ctl_options *o, int argc, char *argv[])
{
    int n_words;

    argv[0] = (char *) "ofmcastctl"; /* For getopt's messages. */
    int code = parse_options(o, NULL, argc, argv);
    if (code != CTL_OK) {
        return code;
    }
    argc -= optind;
    argv += optind;
    const struct command *command = find_command(argc, argv, &n_words);
    if (!command) {
        return complain_of_command(argc, argv);
    }
    /* The same takes the place of the last word of the command. */
    argc -= n_words - 1;
    argv += n_words - 1;
    argv[0] = (char *) "ofmcastctl";
    optind = 0;
    code = parse_options(o, command, argc, argv);
    if (code != CTL_OK) {
        return code;
    }
    argc -= optind;
    argv += optind;
    if (argc < command->min_args || argc > command->max_args) {
        ctl_complain("wrong number of arguments");
        fprintf(stderr, "usage: ofmcastctl %s\n", command->usage);
        return CTL_USAGE;
    }
    double timeout =
        o->timeout < 0 ? DEFAULT_TIMEOUT_S : o->timeout + EXTRA_TIMEOUT_S;
    if (!ctl_client_init(&o->client, o->api, timeout)) {
        ctl_complain("'%s' is not of the form http://HOST:PORT", o->api);
        return CTL_USAGE;
    }
    return command->run(o, argc, argv);
}

int
main(int argc, char *argv[])
{
    const char *api = getenv("OFMCAST_API");
    struct ctl_options o = {
        .api = api && *api ? api : default_api,
        .timeout = -1,
        .color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
    };

    int code = run(&o, argc, argv);
    cJSON_Delete(o.match);
    cJSON_Delete(o.set);
    cJSON_Delete(o.to);
    cJSON_Delete(o.member);
    cJSON_Delete(o.packet);
    cJSON_Delete(o.addresses);
    /* An earlier write may have failed, and the last be fine. */
    if ((fflush(stdout) || ferror(stdout)) && code == CTL_OK) {
        ctl_complain("cannot write the output");
        code = CTL_FAILED;
    }
    return code;
}
