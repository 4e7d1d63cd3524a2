/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/config-key.h"
#include "controller/config-read.h"
#include "controller/config-yaml.h"
#include "lib/xalloc.h"

struct config *
config_default(void)
{
    struct config *config = xcalloc(1, sizeof *config);

    config_listen_parse("tcp:127.0.0.1:6653", true, &config->openflow);
    config_listen_parse("127.0.0.1:8080", false, &config->api);
    config->probe_interval = 5000;
    config->state_dir = xstrdup("/var/lib/ofmcast");
    config->l2 = CONFIG_L2_NORMAL;
    config->fabric = (struct config_fabric){.probe_interval = 1000,
                                            .host_probe_interval = 10000,
                                            .echo_interval = 20,
                                            .hold_time = 10000};
    for (int f = 0; f < IGMP_N_FAMILIES; f++) {
        igmp_config_init(&config->vlan_default.igmp[f]);
        config->vlan_default.igmp[f].family = f;
    }
    config->vlan_default.address_auto = true;
    config->vlan_default.mld = true;
    config->vlan_default.unregistered = CONFIG_UNREGISTERED_MROUTERS;
    config->notice = xstrdup("");
    return config;
}

void
config_destroy(struct config *config)
{
    if (!config) {
        return;
    }
    config_port_settings_uninit(&config->vlan_default.ports);
    for (size_t i = 0; i < config->n_vlans; i++) {
        config_port_settings_uninit(&config->vlans[i].ports);
    }
    config_port_settings_uninit(&config->port_defaults);
    for (size_t i = 0; i < config->n_ports; i++) {
        config_port_settings_uninit(&config->ports[i].settings);
        free((void *) config->ports[i].l2.trunk_vlans);
    }
    for (size_t i = 0; i < config->n_members; i++) {
        member_uninit(&config->members[i]);
    }
    for (size_t i = 0; i < config->n_tunnels; i++) {
        config_tunnel_uninit(&config->tunnels[i]);
    }
    free(config->tunnels);
    free(config->switches);
    free(config->state_dir);
    free(config->vlans);
    free(config->ports);
    free(config->members);
    free(config->notice);
    free(config);
}

struct config *
config_parse(const char *name, const char *text, size_t size,
             char error[CONFIG_ERROR_SIZE])
{
    struct config_node *root;
    struct config *config = NULL;

    error[0] = '\0';
    root = config_yaml_parse(name, text, size, error);
    if (root) {
        config = config_default();
        if (!config_read(name, root, config, error)) {
            config_destroy(config);
            config = NULL;
        }
    }
    config_node_destroy(root);
    return config;
}

/* Files. */
/* All of 'fd', a byte more than allowed at most. */
static char *
read_all(int fd, size_t *size)
{
    size_t room = CONFIG_YAML_MAX_SIZE + 1;
    char *text = xmalloc(room);

    *size = 0;
    while (*size < room) {
        ssize_t n = read(fd, text + *size, room - *size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            free(text);
            return NULL;
        }
        if (!n) {
            break;
        }
        *size += n;
    }
    return text;
}

static struct config *
load_fd(const char *file, int fd, char error[CONFIG_ERROR_SIZE])
{
    struct stat st;
    size_t size;

    if (fstat(fd, &st)) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s: %s", file,
                 strerror(errno));
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s: not a regular file", file);
        return NULL;
    }

    char *text = read_all(fd, &size);
    if (!text) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s: %s", file,
                 strerror(errno));
        return NULL;
    }

    struct config *config = config_parse(file, text, size, error);
    free(text);
    if (config && st.st_mode & S_IWOTH) {
        free(config->notice);
        config->notice = xasprintf("%s: anybody may write to it", file);
    }
    return config;
}

struct config *
config_load(const char *file, char error[CONFIG_ERROR_SIZE])
{
    /* Opening a FIFO must not wait for a writer. */
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s: %s", file,
                 strerror(errno));
        return NULL;
    }

    struct config *config = load_fd(file, fd, error);
    close(fd);
    return config;
}

/* Using it. */
const struct config_vlan *
config_get_vlan(const struct config *config, uint16_t vlan)
{
    size_t low = 0, high = config->n_vlans;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (config->vlans[middle].vlan == vlan) {
            return &config->vlans[middle];
        } else if (config->vlans[middle].vlan < vlan) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &config->vlan_default;
}

/* Decimal digits that make at most 65535. */
static bool
parse_port(const char *s, uint16_t *port)
{
    unsigned int value = 0;

    if (!*s || strlen(s) > 5) {
        return false;
    }
    for (; *s; s++) {
        if (*s < '0' || *s > '9') {
            return false;
        }
        value = value * 10 + (*s - '0');
    }
    *port = value;
    return value <= 65535;
}

bool
config_listen_parse(const char *s, bool scheme, struct config_listen *out)
{
    struct config_listen listen = {.port = 0};
    struct ip_addr address;

    if (scheme) {
        if (strncmp(s, "tcp:", 4)) {
            return false;
        }
        s += 4;
    }

    /* "[IPv6]:PORT", as its colons would hide the one of the port. */
    bool brackets = *s == '[';
    const char *end = brackets ? strchr(++s, ']') : strchr(s, ':');
    size_t size = end ? end - s : 0;
    if (!end || size >= sizeof listen.host) {
        return false;
    }
    memcpy(listen.host, s, size);
    end += brackets;
    if (*end != ':' || !parse_port(end + 1, &listen.port)
        || !ip_addr_parse(listen.host, &address)
        || brackets != !!strchr(listen.host, ':')) {
        return false;
    }
    *out = listen;
    return true;
}
