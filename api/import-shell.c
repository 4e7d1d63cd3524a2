/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Command lines as a shell reads them, as far as lines with socat in scripts
 * need it: quotes, backslashes, comments, "&" and ";", and redirections, which
 * are skipped. */

#include "api/import-socat.h"

#include <string.h>

#include "lib/xalloc.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes what is quoted from 's' on to 'out'; false if it does not end. */
static bool
take_quoted(struct socat_shell *s, char **out)
{
    char quote = *s->at++;
    int begins = s->line;

    while (*s->at && *s->at != quote) {
        if (quote == '"' && *s->at == '\\' && s->at[1]
            && strchr("\"\\$`", s->at[1])) {
            s->at++;
        } else {
            s->expands |= quote == '"' && strchr("$`", *s->at);
        }
        s->line += *s->at == '\n';
        *(*out)++ = *s->at++;
    }
    if (!*s->at) {
        import_error(s->import, s->file, begins, "a quote does not end");
        return false;
    }
    s->at++;
    return true;
}

/* A word, written over itself.  An "&" within a redirection belongs to it. */
static char *
take_word(struct socat_shell *s, char *after)
{
    char *word = s->at;
    char *out = word;
    bool good = true;

    s->expands = false;
    while (good && *s->at && !is_blank(*s->at) && !strchr("\n;|", *s->at)
           && (*s->at != '&' || (out > word && out[-1] == '>'))) {
        if (*s->at == '\'' || *s->at == '"') {
            good = take_quoted(s, &out);
        } else if (*s->at == '\\' && s->at[1] == '\n') {
            s->at += 2;
            s->line++;
        } else if (*s->at == '\\' && s->at[1]) {
            *out++ = s->at[1];
            s->at += 2;
        } else {
            s->expands |= strchr("$`", *s->at) != NULL;
            *out++ = *s->at++;
        }
    }
    /* What ends the word is looked at before it is overwritten. */
    *after = *s->at;
    if (*s->at) {
        s->at++;
    }
    *out = '\0';
    return good ? word : NULL;
}

/* ">FILE", "2>&1", "<FILE": true.  'bare' if the file is the next word. */
static bool
is_redirection(const char *word, bool *bare)
{
    const char *p = word + strspn(word, "0123456789");

    if (*p != '>' && *p != '<') {
        return false;
    }
    p += strspn(p, "<>");
    *bare = !*p;
    return true;
}

static void
keep_word(struct socat_shell *s, struct socat_command *c, char *word)
{
    if (!c->n_words) {
        c->line = s->line;
    }
    if (c->n_words < SOCAT_MAX_WORDS) {
        c->words[c->n_words] = word;
    } else if (c->n_words == SOCAT_MAX_WORDS) {
        import_error(s->import, s->file, s->line,
                     "more than %d words in a command", SOCAT_MAX_WORDS);
    }
    c->n_words++;
}

/* Skips blanks, comments and continued lines; what comes then. */
static char
skip(struct socat_shell *s)
{
    for (;;) {
        while (is_blank(*s->at)) {
            s->at++;
        }
        if (*s->at == '#') {
            s->at += strcspn(s->at, "\n");
        } else if (s->at[0] == '\\' && s->at[1] == '\n') {
            s->at += 2;
            s->line++;
        } else {
            return *s->at;
        }
    }
}

/* What ends a command, or 0 if it goes on. */
static char
take_words(struct socat_shell *s, struct socat_command *c)
{
    bool skip_next = false;
    char after = ' ';

    while (is_blank(after)) {
        char first = skip(s);
        if (!first || strchr("\n;&|", first)) {
            s->at += first != '\0';
            return first;
        }
        /* Its line is the one where it begins. */
        int line = s->line;
        char *word = take_word(s, &after);
        int end = s->line;
        if (!word) {
            c->n_words = 0; /* Nothing is left of the text. */
            return '\0';
        }
        if (!skip_next && !is_redirection(word, &skip_next)) {
            s->line = line;
            if (s->expands) {
                import_error(s->import, s->file, line,
                             "'%s': write what it stands for, no shell is run",
                             word);
            }
            keep_word(s, c, word);
            s->line = end;
        } else {
            skip_next = false;
        }
    }
    return after;
}

bool
socat_next_command(struct socat_shell *s, struct socat_command *c)
{
    char end;

    do {
        *c = (struct socat_command){.n_words = 0};
        end = take_words(s, c);
        if (end == '|') {
            import_error(s->import, s->file, s->line,
                         "a pipe: socat that reads or writes another "
                         "program is no route");
            c->n_words = 0;
        }
        s->line += end == '\n';
    } while (end && !c->n_words);
    if (c->n_words > SOCAT_MAX_WORDS) {
        c->n_words = SOCAT_MAX_WORDS;
    }
    return c->n_words > 0;
}
