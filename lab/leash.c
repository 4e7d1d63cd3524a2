/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

/* leash PROGRAM [ARGUMENT...]: PROGRAM, which dies with who has started it.
 *
 * As "setpriv --pdeathsig KILL" does it; but it is linked statically, for
 * starting a program is what setting up a lab costs, and five hundred labs
 * start ten each. */

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
    if (argc < 2) {
        fputs("usage: leash PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, (unsigned long) SIGKILL);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
