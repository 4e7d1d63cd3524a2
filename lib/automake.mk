noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	lib/arp.c lib/arp.h \
	lib/hash.h \
	lib/hash-table.c lib/hash-table.h \
	lib/headers.c lib/headers.h \
	lib/mcaddr.c lib/mcaddr.h \
	lib/neutral.c lib/neutral.h \
	lib/timer-heap.c lib/timer-heap.h \
	lib/wire.c lib/wire.h \
	lib/xalloc.c lib/xalloc.h

if HAVE_CMOCKA
lib_tests = \
	tests/unit/test-arp \
	tests/unit/test-hash-table \
	tests/unit/test-headers \
	tests/unit/test-mcaddr \
	tests/unit/test-neutral \
	tests/unit/test-timer-heap \
	tests/unit/test-wire \
	tests/unit/test-xalloc
check_PROGRAMS += $(lib_tests)
TESTS += $(lib_tests)
tests_unit_test_arp_SOURCES = tests/unit/test-arp.c
tests_unit_test_arp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_arp_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_hash_table_SOURCES = tests/unit/test-hash-table.c
tests_unit_test_hash_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_hash_table_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_headers_SOURCES = tests/unit/test-headers.c
tests_unit_test_headers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_headers_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_mcaddr_SOURCES = tests/unit/test-mcaddr.c
tests_unit_test_mcaddr_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mcaddr_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_neutral_SOURCES = tests/unit/test-neutral.c
tests_unit_test_neutral_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_neutral_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_timer_heap_SOURCES = tests/unit/test-timer-heap.c
tests_unit_test_timer_heap_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_timer_heap_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_wire_SOURCES = tests/unit/test-wire.c
tests_unit_test_wire_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_wire_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_test_xalloc_SOURCES = tests/unit/test-xalloc.c
tests_unit_test_xalloc_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_xalloc_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz-headers
TESTS += tests/fuzz/fuzz-headers
tests_fuzz_fuzz_headers_SOURCES = tests/fuzz/fuzz-headers.c $(FUZZ_MAIN)
tests_fuzz_fuzz_headers_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_headers_LDADD = $(BASE_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-arp
TESTS += tests/fuzz/fuzz-arp
tests_fuzz_fuzz_arp_SOURCES = tests/fuzz/fuzz-arp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_arp_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_arp_LDADD = $(BASE_LIBS)
