/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "controller/config-yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "lib/xalloc.h"

struct reader {
    yaml_parser_t parser;
    const char *name, *text;
    size_t size;
    int depth, n_nodes;
    char *error;
};

static struct config_node *read_node(struct reader *, yaml_event_t *);

/* Errors. */
void
config_yaml_fail(char error[CONFIG_ERROR_SIZE], const char *name, int line,
                 int column, const char *format, ...)
{
    va_list args;
    int n = snprintf(error, CONFIG_ERROR_SIZE, "%.150s:%d:%d: ", name, line,
                     column);

    va_start(args, format);
    vsnprintf(error + n, CONFIG_ERROR_SIZE - n, format, args);
    va_end(args);
    /* What it quotes must not play tricks with a terminal or a log. */
    for (char *s = error; *s; s++) {
        if ((unsigned char) *s < ' ' || *s == 0x7f) {
            *s = '?';
        }
    }
}

static void
fail(struct reader *r, const yaml_mark_t *mark, const char *what)
{
    config_yaml_fail(r->error, r->name, mark->line + 1, mark->column + 1, "%s",
                     what);
}

/* Where a byte stands, for the errors that libyaml gives no mark for. */
static yaml_mark_t
locate(const struct reader *r, size_t offset)
{
    yaml_mark_t mark = {.index = offset};

    for (size_t i = 0; i < offset && i < r->size; i++) {
        if (r->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else {
            mark.column++;
        }
    }
    return mark;
}

static void
fail_parser(struct reader *r)
{
    const yaml_parser_t *parser = &r->parser;
    yaml_mark_t mark = parser->error == YAML_READER_ERROR
                           ? locate(r, parser->problem_offset)
                           : parser->problem_mark;

    fail(r, &mark, parser->problem ? parser->problem : "not valid YAML");
}

/* Events. */
/* Reads one event; releases it and returns false if it is not acceptable. */
static bool
next_event(struct reader *r, yaml_event_t *event)
{
    const char *refused = NULL;

    if (!yaml_parser_parse(&r->parser, event)) {
        fail_parser(r);
        return false;
    }
    if (event->type == YAML_ALIAS_EVENT
        || (event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor)
        || (event->type == YAML_MAPPING_START_EVENT
            && event->data.mapping_start.anchor)
        || (event->type == YAML_SEQUENCE_START_EVENT
            && event->data.sequence_start.anchor)) {
        refused = "anchors and aliases are not supported";
    } else if ((event->type == YAML_SCALAR_EVENT && event->data.scalar.tag)
               || (event->type == YAML_MAPPING_START_EVENT
                   && event->data.mapping_start.tag)
               || (event->type == YAML_SEQUENCE_START_EVENT
                   && event->data.sequence_start.tag)) {
        refused = "tags are not supported";
    }
    if (refused) {
        fail(r, &event->start_mark, refused);
        yaml_event_delete(event);
    }
    return !refused;
}

/* Reads an event that says nothing else but that it comes. */
static bool
expect(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
    yaml_event_t event;

    if (!next_event(r, &event)) {
        return false;
    }

    bool right = event.type == type;
    if (!right) {
        fail(r, &event.start_mark, otherwise);
    }
    yaml_event_delete(&event);
    return right;
}

/* The tree. */
static struct config_node *
new_node(enum config_node_kind kind, const yaml_mark_t *mark)
{
    struct config_node *node = xcalloc(1, sizeof *node);

    node->kind = kind;
    node->line = mark->line + 1;
    node->column = mark->column + 1;
    return node;
}

void
config_node_destroy(struct config_node *node)
{
    if (!node) {
        return;
    }
    for (size_t i = 0; i < node->n_children; i++) {
        config_node_destroy(node->children[i]);
    }
    free(node->children);
    free(node->text);
    free(node);
}

static struct config_node *
read_scalar(struct reader *r, const yaml_event_t *event)
{
    const char *text = (const char *) event->data.scalar.value;
    struct config_node *node;

    if (strlen(text) != event->data.scalar.length) {
        fail(r, &event->start_mark, "a NUL character is not allowed");
        return NULL;
    }
    node = new_node(CONFIG_NODE_SCALAR, &event->start_mark);
    node->text = xstrdup(text);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return node;
}

/* Adds what 'event', consumed here, begins. */
static bool
add_child(struct reader *r, struct config_node *node, yaml_event_t *event)
{
    bool is_key = node->kind == CONFIG_NODE_MAP && node->n_children % 2 == 0;

    if (is_key && event->type != YAML_SCALAR_EVENT) {
        fail(r, &event->start_mark, "a key must be a plain word");
        yaml_event_delete(event);
        return false;
    }

    struct config_node *child = read_node(r, event);
    if (!child) {
        return false;
    }
    node->children = xgrow(node->children, node->n_children, &node->allocated,
                           sizeof *node->children);
    node->children[node->n_children++] = child;
    return true;
}

/* The children of 'node' up to its end. */
static bool
read_children(struct reader *r, struct config_node *node)
{
    yaml_event_t event;

    while (next_event(r, &event)) {
        if (event.type == YAML_MAPPING_END_EVENT
            || event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return true;
        }
        if (!add_child(r, node, &event)) {
            return false;
        }
    }
    return false;
}

/* What 'event', consumed here, begins.  NULL and an error if refused. */
static struct config_node *
read_node(struct reader *r, yaml_event_t *event)
{
    struct config_node *node = NULL;

    if (++r->n_nodes > CONFIG_YAML_MAX_NODES) {
        fail(r, &event->start_mark, "too many entries");
    } else if (event->type == YAML_SCALAR_EVENT) {
        node = read_scalar(r, event);
    } else if (++r->depth > CONFIG_YAML_MAX_DEPTH) {
        fail(r, &event->start_mark, "nested too deeply");
    } else {
        node = new_node(event->type == YAML_MAPPING_START_EVENT
                            ? CONFIG_NODE_MAP
                            : CONFIG_NODE_LIST,
                        &event->start_mark);
        if (!read_children(r, node)) {
            config_node_destroy(node);
            node = NULL;
        }
        r->depth--;
    }
    yaml_event_delete(event);
    return node;
}

/* From the start of the text to its end. */
static struct config_node *
read_document(struct reader *r)
{
    const yaml_mark_t start = {.line = 0};
    yaml_event_t event;

    if (!expect(r, YAML_STREAM_START_EVENT, "not YAML")
        || !next_event(r, &event)) {
        return NULL;
    }

    bool empty = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (empty) {
        return new_node(CONFIG_NODE_MAP, &start);
    }
    if (!next_event(r, &event)) {
        return NULL;
    }

    struct config_node *root = read_node(r, &event);
    if (root
        && (!expect(r, YAML_DOCUMENT_END_EVENT, "not one document")
            || !expect(r, YAML_STREAM_END_EVENT,
                       "only one document is allowed"))) {
        config_node_destroy(root);
        root = NULL;
    }
    return root;
}

struct config_node *
config_yaml_parse(const char *name, const char *text, size_t size,
                  char error[CONFIG_ERROR_SIZE])
{
    struct reader r = {
        .name = name, .text = text, .size = size, .error = error};

    if (size > CONFIG_YAML_MAX_SIZE) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s: larger than %d bytes",
                 name, CONFIG_YAML_MAX_SIZE);
        return NULL;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        abort(); /* Out of memory. */
    }
    /* Said here, it keeps libyaml from guessing UTF-16. */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *) text,
                                 size);

    struct config_node *root = read_document(&r);
    yaml_parser_delete(&r.parser);
    return root;
}
