/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* Runs a fuzz target over its committed corpus, without libFuzzer: what
 * "make check" does with every tests/fuzz/fuzz-NAME.
 *
 *     fuzz-NAME [FILE | FOLDER]...
 *
 * Without arguments it takes $srcdir/tests/fuzz/corpus/NAME.  Each input is
 * copied to a heap block of exactly its size, else AddressSanitizer could not
 * see an over-read.  A target without a single seed is a failure: a test that
 * ran nothing must not pass. */

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns the number of inputs run, -1 if 'path' cannot be read. */
static int
run_file(const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }

    static uint8_t buf[1 << 20];
    size_t size = fread(buf, 1, sizeof buf, f);
    if (ferror(f) || !feof(f)) {
        fprintf(stderr, "%s: unreadable, or over 1 MiB\n", path);
        fclose(f);
        return -1;
    }
    fclose(f);

    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) {
        abort();
    }
    memcpy(exact, buf, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

static int run_path(const char *path);

static int
run_folder(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);

    if (n < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }

    int ran = 0;
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && ran >= 0) {
            char *child;

            if (asprintf(&child, "%s/%s", path, names[i]->d_name) < 0) {
                abort();
            }
            int k = run_path(child);
            ran = k < 0 ? -1 : ran + k;
            free(child);
        }
        free(names[i]);
    }
    free(names);
    return ran;
}

static int
run_path(const char *path)
{
    struct stat st;

    if (stat(path, &st)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    return S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path);
}

/* "fuzz-igmp" -> "$srcdir/tests/fuzz/corpus/igmp". */
static char *
default_corpus(char *program)
{
    const char *srcdir = getenv("srcdir");
    const char *name = basename(program);
    char *path;

    if (!strncmp(name, "lt-", 3)) {
        name += 3;
    }
    if (!strncmp(name, "fuzz-", 5)) {
        name += 5;
    }
    if (asprintf(&path, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".", name)
        < 0) {
        abort();
    }
    return path;
}

int
main(int argc, char *argv[])
{
    int ran = 0;

    if (argc < 2) {
        char *corpus = default_corpus(argv[0]);

        ran = run_path(corpus);
        free(corpus);
    }
    for (int i = 1; i < argc && ran >= 0; i++) {
        int n = run_path(argv[i]);

        ran = n < 0 ? -1 : ran + n;
    }
    if (ran <= 0) {
        fprintf(stderr, "no inputs were run\n");
        return EXIT_FAILURE;
    }
    printf("%d inputs\n", ran);
    return EXIT_SUCCESS;
}
