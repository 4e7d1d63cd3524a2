noinst_LIBRARIES += libigmp.a
libigmp_a_SOURCES = \
	igmp/igmp-build.c \
	igmp/igmp-msg.c igmp/igmp-msg.h \
	igmp/igmp-snoop.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-igmp-msg tests/unit/test-igmp-golden
TESTS += tests/unit/test-igmp-msg tests/unit/test-igmp-golden
tests_unit_test_igmp_msg_SOURCES = tests/unit/test-igmp-msg.c
tests_unit_test_igmp_msg_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_msg_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_golden_SOURCES = tests/unit/test-igmp-golden.c
tests_unit_test_igmp_golden_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_golden_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/golden

check_PROGRAMS += tests/fuzz/fuzz-igmp
TESTS += tests/fuzz/fuzz-igmp
tests_fuzz_fuzz_igmp_SOURCES = tests/fuzz/fuzz-igmp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_igmp_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_igmp_LDADD = $(IGMP_LIBS)
