noinst_LIBRARIES += libtopo.a
libtopo_a_SOURCES = \
	topo/topo-flaps.c \
	topo/topo-graph.c topo/topo-graph.h \
	topo/topo-hash.h \
	topo/topo-hear.c \
	topo/topo-links.c topo/topo-links.h topo/topo-links-private.h \
	topo/topo-net.c topo/topo-net.h \
	topo/topo-pace.c \
	topo/topo-probe.c topo/topo-probe.h \
	topo/topo-roots.c topo/topo-roots.h \
	topo/topo-span.c \
	topo/topo-tree.c topo/topo-tree.h \
	topo/topo-view.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-topo-graph
TESTS += tests/unit/test-topo-graph
tests_unit_test_topo_graph_SOURCES = tests/unit/test-topo-graph.c
tests_unit_test_topo_graph_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_graph_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-probe
TESTS += tests/unit/test-topo-probe
tests_unit_test_topo_probe_SOURCES = tests/unit/test-topo-probe.c
tests_unit_test_topo_probe_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_probe_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-links
TESTS += tests/unit/test-topo-links
tests_unit_test_topo_links_SOURCES = tests/unit/test-topo-links.c \
	tests/unit/links-rig.c tests/unit/links-rig.h
tests_unit_test_topo_links_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_links_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-forgery
TESTS += tests/unit/test-topo-forgery
tests_unit_test_topo_forgery_SOURCES = tests/unit/test-topo-forgery.c \
	tests/unit/links-rig.c tests/unit/links-rig.h
tests_unit_test_topo_forgery_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_forgery_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-pace
TESTS += tests/unit/test-topo-pace
tests_unit_test_topo_pace_SOURCES = tests/unit/test-topo-pace.c \
	tests/unit/links-rig.c tests/unit/links-rig.h
tests_unit_test_topo_pace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_pace_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-random
TESTS += tests/unit/test-topo-random
tests_unit_test_topo_random_SOURCES = tests/unit/test-topo-random.c \
	tests/unit/links-rig.c tests/unit/links-rig.h
tests_unit_test_topo_random_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_random_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-tree
TESTS += tests/unit/test-topo-tree
tests_unit_test_topo_tree_SOURCES = tests/unit/test-topo-tree.c \
	tests/unit/topo-rig.c tests/unit/topo-rig.h
tests_unit_test_topo_tree_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_tree_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-span
TESTS += tests/unit/test-topo-span
tests_unit_test_topo_span_SOURCES = tests/unit/test-topo-span.c \
	tests/unit/topo-rig.c tests/unit/topo-rig.h
tests_unit_test_topo_span_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_span_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-topo-roots
TESTS += tests/unit/test-topo-roots
tests_unit_test_topo_roots_SOURCES = tests/unit/test-topo-roots.c \
	tests/unit/topo-rig.c tests/unit/topo-rig.h
tests_unit_test_topo_roots_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_roots_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz-topo-probe
TESTS += tests/fuzz/fuzz-topo-probe
tests_fuzz_fuzz_topo_probe_SOURCES = tests/fuzz/fuzz-topo-probe.c $(FUZZ_MAIN)
tests_fuzz_fuzz_topo_probe_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_topo_probe_LDADD = $(TOPO_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-topo-links
TESTS += tests/fuzz/fuzz-topo-links
tests_fuzz_fuzz_topo_links_SOURCES = tests/fuzz/fuzz-topo-links.c $(FUZZ_MAIN)
tests_fuzz_fuzz_topo_links_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_topo_links_LDADD = $(TOPO_LIBS)
