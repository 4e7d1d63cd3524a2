# What the tests of several folders share; a unit test itself stands in the
# automake.mk of the folder that it tests.

# The house rules, as a test.  They are about the source: "make check
# SOURCE_TESTS=" leaves them out, where another build has run them.
SOURCE_TESTS = tests/house-rules
dist_check_SCRIPTS += tests/house-rules
TESTS += $(SOURCE_TESTS)

# A fuzz target is one LLVMFuzzerTestOneInput().  With --enable-fuzzer it is
# linked with libFuzzer; otherwise with a driver that replays
# tests/fuzz/corpus/NAME, which makes it a regression test of "make check".
if ENABLE_FUZZER
FUZZ_MAIN =
FUZZ_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LDFLAGS = $(AM_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus

include tests/sim/automake.mk
