/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* The whole controller with l2: fabric and up to five fake switches that are
 * linked in all ways, against a naive model.
 *
 * At every single change of any switch's tables a packet of each stream, and
 * a broadcast of each host, is walked through all of them: no loop, nobody
 * gets it twice, nobody who was not entitled at any time lately gets it, and
 * where only members came and went the others miss none.  At rest everybody
 * gets it once, and no cable carries it in vain.
 *
 * OFM_EVENTS and OFM_SEED set the length and the first scene; OFM_L2=normal
 * tests the test with one switch; OFM_DUMP=1 shows tables at a failure,
 * OFM_TRACE_STEPS=1 what happens. */

#include "tests/sim/sim-fabric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/xalloc.h"

enum { EVENTS = 5000, EVENTS_PER_SCENE = 50, SKIPPED = 77 };

static double
seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts); /* The other one is the sim's. */
    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static void
fabrics_carry_streams_to_exactly_their_members(void **state)
{
    struct sim_fabric *f = xmalloc(sizeof *f);
    uint64_t n = sim_setting("OFM_EVENTS", EVENTS), done = 0, walks = 0;
    uint64_t seed = sim_setting("OFM_SEED", 1);
    double start = seconds();

    (void) state;
    while (done < n) {
        sim_fabric_init(f, seed++);
        while (f->n_events < EVENTS_PER_SCENE && done + f->n_events < n) {
            f->step++;
            sim_fabric_step(f);
        }
        done += f->n_events;
        walks += f->n_walks;
        sim_fabric_uninit(f);
    }
    printf("%" PRIu64 " events, %" PRIu64 " walks, %.0f events/s\n", done,
           walks, (double) done / (seconds() - start));
    free(f);
}

int
main(void)
{
    static const char yaml[] = "l2: fabric\n";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fabrics_carry_streams_to_exactly_their_members),
    };
    char error[CONFIG_ERROR_SIZE];
    struct config *config = config_parse("test", yaml, strlen(yaml), error);

    if (!config && !getenv("OFM_L2")) {
        printf("no l2: fabric yet: %s\n", error);
        return SKIPPED;
    }
    config_destroy(config);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
