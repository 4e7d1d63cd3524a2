/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Golden files: tests/golden/import/FORMAT/NAME.in, written after the
 * documentation of each system, against NAME.out: the routes, members and
 * settings that they become, and what is said of them.  And what a diff makes
 * of them.
 *
 * OFM_UPDATE=1 writes the .out files anew, for a diff to be reviewed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "api/import-diff.h"
#include "lib/xalloc.h"

static char *
golden_path(const char *format, const char *name)
{
    const char *srcdir = getenv("srcdir");

    return xasprintf("%s/tests/golden/import/%s%s%s", srcdir ? srcdir : ".",
                     format, *name ? "/" : "", name);
}

/* "" if there is none. */
static char *
read_file(const char *path)
{
    char *text = xcalloc(1, 65536);
    FILE *f = fopen(path, "r");

    if (f) {
        size_t n = fread(text, 1, 65535, f);
        text[n] = '\0';
        fclose(f);
    }
    return text;
}

/* What the golden files include. */
static char *
include(void *aux, const char *from, const char *pattern, import_text_cb *cb,
        void *cb_aux)
{
    (void) aux;
    (void) from;
    if (strcmp(pattern, "/etc/smcroute.d/*.conf")) {
        return xstrdup("there is no such file");
    }
    char *first = xstrdup("\nmroute from eth1 group 225.7.7.7 to eth0\n");
    char *second = xstrdup("mroute from eth1 group 225.8.8.8 to eth0\n");
    cb(cb_aux, "/etc/smcroute.d/10.conf", first);
    cb(cb_aux, "/etc/smcroute.d/20.conf", second);
    free(first);
    free(second);
    return NULL;
}

static const struct import_ops ops = {include, NULL};

static void
import_one(struct import *im, const struct import_format *format,
           const char *name, const char *text)
{
    import_init(im, &ops);
    assert_true(import_add_address(im, "eth1=10.1.1.2"));
    import_text(im, format, name, text, strlen(text));
    import_finish(im, format, 1, NULL);
}

/* Each of them includes a hundred, down to the seventh. */
static char *
include_many(void *depth_, const char *from, const char *pattern,
             import_text_cb *cb, void *cb_aux)
{
    int *depth = depth_;
    char text[100 * 10 + 1] = "";

    (void) from;
    for (int i = 0; *depth < 7 && i < 100; i++) {
        strcat(text, "include x\n");
    }
    ++*depth;
    cb(cb_aux, pattern, text);
    --*depth;
    return NULL;
}

static void
test_files_that_include_many(void **state)
{
    int depth = 0;
    const struct import_ops many = {include_many, &depth};
    const char *text = "include x\n";
    struct import im;

    (void) state;
    import_init(&im, &many);
    import_text(&im, import_find_format("smcroute"), "f", text, strlen(text));
    assert_int_equal(im.n_errors, 1);
    assert_string_equal(im.messages[0].text, "is one of more than 1000 files");
    import_uninit(&im);
}

/* True if it is as it should be. */
static bool
check_golden(const struct import_format *format, const char *name)
{
    char *in = golden_path(format->name, name);
    char *out = xasprintf("%.*s.out", (int) strlen(in) - 3, in);
    char *text = read_file(in), *wanted = read_file(out);
    struct import im;

    import_one(&im, format, name, text);
    char *got = import_dump(&im);
    bool good = !strcmp(got, wanted);
    if (!good && getenv("OFM_UPDATE")) {
        FILE *f = fopen(out, "w");
        assert_non_null(f);
        fputs(got, f);
        fclose(f);
        good = true;
    } else if (!good) {
        printf("%s: is\n%sshould be\n%s", in, got, wanted);
    }
    import_uninit(&im);
    free(got);
    free(text);
    free(wanted);
    free(in);
    free(out);
    return good;
}

static void
test_golden_files(void **state)
{
    size_t n_bad = 0;

    (void) state;
    for (const struct import_format *f = IMPORT_FORMATS; f->name; f++) {
        char *folder = golden_path(f->name, "");
        struct dirent **names;
        int n = scandir(folder, &names, NULL, alphasort), n_seen = 0;
        for (int i = 0; i < n; i++) {
            const char *end = strrchr(names[i]->d_name, '.');
            if (end && !strcmp(end, ".in")) {
                n_bad += !check_golden(f, names[i]->d_name);
                n_seen++;
            }
            free(names[i]);
        }
        assert_true(n_seen >= 2); /* Else it was not found. */
        free(names);
        free(folder);
    }
    assert_int_equal(n_bad, 0);
}

/* Names. */

static void
import_smcroute(struct import *im, const char *text)
{
    import_one(im, import_find_format("smcroute"), "f", text);
    assert_int_equal(im->n_errors, 0);
}

static void
test_a_name_is_that_of_the_stream(void **state)
{
    struct import a, b;

    (void) state;
    import_smcroute(&a, "mroute from eth0 group 225.1.2.3 to eth1\n");
    import_smcroute(&b, "\n\nmroute from eth0 group 225.1.2.3 to eth1 eth2\n");
    assert_string_equal(a.items[0].name, "smcroute-1.225.1.2.3-eth0");
    assert_string_equal(a.items[0].name, b.items[0].name);
    import_uninit(&a);
    import_uninit(&b);
}

/* Where a name cannot have it all, streams still have names of their own. */
static void
test_names_differ_where_streams_do(void **state)
{
    struct import im;

    (void) state;
    import_smcroute(&im,
                    "mroute from eth+ group 225.1.2.3 to eth1\n"
                    "mroute from eth@ group 225.1.2.3 to eth1\n"
                    "mroute from abcdefghijklmno source 192.168.100.128/25 "
                    "group 225.100.100.128/25 to eth1\n"
                    "mroute from abcdefghijklmnp source 192.168.100.128/25 "
                    "group 225.100.100.128/25 to eth1\n");
    assert_int_equal(im.n_items, 4);
    for (size_t i = 0; i < im.n_items; i++) {
        assert_true(import_check_name(im.items[i].name));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(im.items[i].name, im.items[k].name);
        }
    }
    import_uninit(&im);
}

static void
test_prefixes(void **state)
{
    (void) state;
    assert_true(import_check_prefix("lab-1"));
    assert_false(import_check_prefix(""));
    assert_false(import_check_prefix("lab.1"));
    assert_false(import_check_prefix("lab/1"));
    assert_false(import_check_prefix("abcdefghijklmnopqrstuvwxy"));
}

static void
test_no_text(void **state)
{
    const struct import_format *format = import_find_format("mcr");
    struct import im;

    (void) state;
    import_init(&im, NULL);
    import_text(&im, format, "f", "{}\0}", 4);
    assert_int_equal(im.n_errors, 1);
    import_text(&im, format, "f", "", 0);
    assert_int_equal(im.n_errors, 2);
    import_uninit(&im);
}

/* A file of errors alone is not read to its end. */
static void
test_many_errors(void **state)
{
    size_t size = 5 * 100000;
    char *text = xmalloc(size);
    struct import im;

    (void) state;
    for (size_t i = 0; i < size; i += 5) {
        memcpy(text + i, "oops\n", 5);
    }
    import_init(&im, NULL);
    import_text(&im, import_find_format("smcroute"), "f", text, size);
    assert_int_equal(im.n_errors, IMPORT_MAX_ERRORS);
    import_uninit(&im);
    free(text);
}

/* Files of one import count as one. */
static void
test_several_files_of_smcroute(void **state)
{
    const struct import_format *format = import_find_format("smcroute");
    const char *texts[] = {
        "mgroup from eth0 group 225.1.2.3\nphyint eth9 disable\n",
        "mroute from eth0 group 225.1.2.3 to eth1\n",
        "mroute from eth9 group 225.1.2.4 to eth1\n",
    };
    const char *names[] = {"a", "b", "c"};
    struct import im;

    (void) state;
    import_init(&im, NULL);
    for (size_t i = 0; i < 3; i++) {
        import_text(&im, format, names[i], texts[i], strlen(texts[i]));
    }
    import_finish(&im, format, 1, NULL);
    assert_int_equal(im.n_items, 1);
    assert_int_equal(im.n_messages, 1);
    assert_string_equal(im.messages[0].file, "c");
    import_uninit(&im);
}

static void
test_too_many_routes(void **state)
{
    char *text = xmalloc(64 * (IMPORT_MAX_ROUTES + 10)), *out = text;
    struct import im;

    (void) state;
    for (int i = 0; i < IMPORT_MAX_ROUTES + 5; i++) {
        out += sprintf(out, "mroute from eth0 group 225.1.%d.%d to eth1\n",
                       i >> 8, i & 255);
    }
    import_init(&im, NULL);
    import_text(&im, import_find_format("smcroute"), "f", text,
                (size_t) (out - text));
    assert_int_equal(im.n_errors, 1);
    assert_int_equal(im.n_items, IMPORT_MAX_ROUTES + 1);
    import_uninit(&im);
    free(text);
}

/* Differences. */

static void
diff(const char *smcroute, const char *routes, const char *prefix,
     size_t wanted[4])
{
    struct cJSON *list = cJSON_Parse(routes);
    const struct cJSON *lists[IMPORT_KINDS] = {list};
    struct import_diff d;
    struct import im;

    assert_non_null(list);
    import_smcroute(&im, smcroute);
    import_diff_init(&d, &im, lists, prefix);
    for (int change = IMPORT_ADDED; change <= IMPORT_REMOVED; change++) {
        assert_int_equal(import_diff_count(&d, change), wanted[change]);
    }
    import_diff_uninit(&d);
    import_uninit(&im);
    cJSON_Delete(list);
}

static void
test_diff(void **state)
{
    const char *have =
        "[{\"name\":\"smcroute-1.225.1.2.3-eth0\",\"match\":{\"port\":"
        "\"eth0\",\"dpid\":1,\"group\":\"225.1.2.3\"},\"to\":[{\"dpid\":"
        "\"0x1\",\"port\":\"eth1\",\"when\":\"always\"}],\"join\":\"auto\","
        "\"status\":[]},"
        "{\"name\":\"smcroute-1.225.1.2.4-eth0\",\"match\":{\"dpid\":\"1\","
        "\"port\":\"eth0\",\"group\":\"225.1.2.4\"},\"to\":[]},"
        "{\"name\":\"smcroute-1.old\",\"match\":{\"group\":\"225.5.5.5\"}},"
        "{\"name\":\"smcroute-1x.other\",\"match\":{\"group\":\"225.6.5.5\"}},"
        "{\"name\":\"hdmi\",\"match\":{\"group\":\"225.7.7.7\"}}]";
    const char *file = "mroute from eth0 group 225.1.2.3 to eth1\n"
                       "mroute from eth0 group 225.1.2.4 to eth1\n"
                       "mroute from eth0 group 225.1.2.5 to eth1\n";

    (void) state;
    diff(file, have, "smcroute-1", (size_t[]){1, 1, 1, 1});
    diff(file, have, NULL, (size_t[]){1, 1, 1, 3});
    diff(file, "[]", "smcroute-1", (size_t[]){3, 0, 0, 0});
}

static bool
same(enum import_kind kind, const char *a, const char *b)
{
    struct cJSON *x = cJSON_Parse(a), *y = cJSON_Parse(b);
    struct cJSON *p = import_canonical(kind, x),
                 *q = import_canonical(kind, y);
    bool result = cJSON_Compare(p, q, true);

    assert_non_null(x);
    assert_non_null(y);
    cJSON_Delete(x);
    cJSON_Delete(y);
    cJSON_Delete(p);
    cJSON_Delete(q);
    return result;
}

static void
test_the_same_in_other_words(void **state)
{
    (void) state;
    assert_true(same(IMPORT_ROUTE,
                     "{\"match\":{\"group\":\"226.1.1.1\",\"udp_dst\":5}}",
                     "{\"match\":{\"group\":\"226.1.1.1\",\"udp_dst\":5,"
                     "\"proto\":17},\"set\":{},\"to\":[{\"members\":true}]}"));
    assert_false(same(IMPORT_ROUTE, "{\"match\":{\"group\":\"226.1.1.1\"}}",
                      "{\"match\":{\"group\":\"226.1.1.1\"},\"to\":[]}"));
    assert_true(same(IMPORT_ROUTE,
                     "{\"match\":{\"dpid\":1,\"port\":2,\"proto\":\"any\"}}",
                     "{\"match\":{\"dpid\":\"00:00:00:00:00:00:00:01\","
                     "\"port\":\"2\"},\"fragments\":\"auto\"}"));
    assert_true(same(IMPORT_MEMBER,
                     "{\"group\":\"226.1.1.1\",\"mode\":\"include\","
                     "\"sources\":[\"10.0.0.2\",\"10.0.0.1\"],\"vlan\":0}",
                     "{\"group\":\"226.1.1.1\",\"origin\":\"api\","
                     "\"sources\":[\"10.0.0.1\",\"10.0.0.2\"]}"));
    assert_false(same(IMPORT_MEMBER,
                      "{\"mode\":\"exclude\",\"sources\":[\"10.0.0.1\"]}",
                      "{\"sources\":[\"10.0.0.1\"]}"));
}

/* What a configuration file or a lease has made is nobody's to remove. */
static void
test_what_is_not_exported(void **state)
{
    struct cJSON *config = cJSON_Parse("{\"origin\":\"config\"}");
    struct cJSON *lease = cJSON_Parse("{\"lease\":60}");
    struct cJSON *plain = cJSON_Parse("{\"origin\":\"api\"}");

    (void) state;
    assert_false(import_is_exported(config));
    assert_false(import_is_exported(lease));
    assert_true(import_is_exported(plain));
    cJSON_Delete(config);
    cJSON_Delete(lease);
    cJSON_Delete(plain);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_files),
        cmocka_unit_test(test_files_that_include_many),
        cmocka_unit_test(test_a_name_is_that_of_the_stream),
        cmocka_unit_test(test_names_differ_where_streams_do),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_no_text),
        cmocka_unit_test(test_many_errors),
        cmocka_unit_test(test_several_files_of_smcroute),
        cmocka_unit_test(test_too_many_routes),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_the_same_in_other_words),
        cmocka_unit_test(test_what_is_not_exported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
