noinst_LIBRARIES += libtopo.a
libtopo_a_SOURCES = topo/topo-graph.c topo/topo-graph.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-topo-graph
TESTS += tests/unit/test-topo-graph
tests_unit_test_topo_graph_SOURCES = tests/unit/test-topo-graph.c
tests_unit_test_topo_graph_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_topo_graph_LDADD = $(TOPO_LIBS) $(CMOCKA_LIBS)
endif
