noinst_LIBRARIES += libigmp.a
libigmp_a_SOURCES = \
	igmp/igmp-address.c igmp/igmp-address.h \
	igmp/igmp-build.c \
	igmp/igmp-check.c igmp/igmp-check.h \
	igmp/igmp-envelope.c \
	igmp/igmp-group.c igmp/igmp-group.h \
	igmp/igmp-hosts.c igmp/igmp-hosts.h \
	igmp/igmp-input.c \
	igmp/igmp-joins.c igmp/igmp-joins.h \
	igmp/igmp-last-member.c igmp/igmp-last-member.h \
	igmp/igmp-limits.c \
	igmp/igmp-merge.c igmp/igmp-merge.h \
	igmp/igmp-member.c \
	igmp/igmp-moves.c \
	igmp/igmp-msg.c igmp/igmp-msg.h igmp/igmp-msg-private.h \
	igmp/igmp-ports.c \
	igmp/igmp-proxy.c igmp/igmp-proxy.h \
	igmp/igmp-querier.c igmp/igmp-querier.h \
	igmp/igmp-routers.c igmp/igmp-routers.h \
	igmp/igmp-restore.c \
	igmp/igmp-say.c igmp/igmp-say.h \
	igmp/igmp-signs.c \
	igmp/igmp-snoop.c igmp/igmp-snoop.h igmp/igmp-snoop-private.h \
	igmp/igmp-sources.c igmp/igmp-sources.h \
	igmp/igmp-speaker.c igmp/igmp-speaker.h \
	igmp/igmp-speaker-private.h igmp/igmp-speaker-record.c \
	igmp/igmp-table.c igmp/igmp-table.h \
	igmp/igmp-view.c \
	igmp/mld-build.c \
	igmp/mld-msg.c

if HAVE_CMOCKA
igmp_tests = \
	tests/unit/test-igmp-address \
	tests/unit/test-igmp-check \
	tests/unit/test-igmp-golden \
	tests/unit/test-igmp-group \
	tests/unit/test-igmp-hosts \
	tests/unit/test-igmp-joins \
	tests/unit/test-igmp-members \
	tests/unit/test-igmp-model \
	tests/unit/test-igmp-msg \
	tests/unit/test-igmp-proxy \
	tests/unit/test-igmp-querier \
	tests/unit/test-igmp-routers \
	tests/unit/test-igmp-snoop \
	tests/unit/test-igmp-upstream \
	tests/unit/test-mld-rows
check_PROGRAMS += $(igmp_tests)
TESTS += $(igmp_tests)
tests_unit_test_igmp_address_SOURCES = tests/unit/test-igmp-address.c
tests_unit_test_igmp_address_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_address_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_check_SOURCES = tests/unit/test-igmp-check.c
tests_unit_test_igmp_check_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_check_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_golden_SOURCES = tests/unit/test-igmp-golden.c
tests_unit_test_igmp_golden_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_golden_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_group_SOURCES = tests/unit/test-igmp-group.c \
	tests/unit/igmp-rows.c tests/unit/igmp-rows.h tests/unit/igmp-rows.def
tests_unit_test_igmp_group_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_group_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_hosts_SOURCES = tests/unit/test-igmp-hosts.c \
	tests/unit/igmp-rows.c tests/unit/igmp-rows.h
tests_unit_test_igmp_hosts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_hosts_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_joins_SOURCES = tests/unit/test-igmp-joins.c
tests_unit_test_igmp_joins_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_joins_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_members_SOURCES = tests/unit/test-igmp-members.c \
	tests/unit/igmp-lab.c tests/unit/igmp-lab.h
tests_unit_test_igmp_members_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_members_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_model_SOURCES = tests/unit/test-igmp-model.c \
	tests/unit/igmp-model.c tests/unit/igmp-model.h
tests_unit_test_igmp_model_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_model_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_msg_SOURCES = tests/unit/test-igmp-msg.c
tests_unit_test_igmp_msg_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_msg_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_proxy_SOURCES = tests/unit/test-igmp-proxy.c \
	tests/unit/igmp-lab.c tests/unit/igmp-lab.h
tests_unit_test_igmp_proxy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_proxy_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_querier_SOURCES = tests/unit/test-igmp-querier.c \
	tests/unit/igmp-lab.c tests/unit/igmp-lab.h
tests_unit_test_igmp_querier_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_querier_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_routers_SOURCES = tests/unit/test-igmp-routers.c \
	tests/unit/igmp-lab.c tests/unit/igmp-lab.h
tests_unit_test_igmp_routers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_routers_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_mld_rows_SOURCES = tests/unit/test-mld-rows.c \
	tests/unit/igmp-lab.c tests/unit/igmp-lab.h tests/unit/igmp-rows.def
tests_unit_test_mld_rows_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mld_rows_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_snoop_SOURCES = tests/unit/test-igmp-snoop.c \
	tests/unit/igmp-lab.c tests/unit/igmp-lab.h
tests_unit_test_igmp_snoop_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_snoop_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_igmp_upstream_SOURCES = tests/unit/test-igmp-upstream.c
tests_unit_test_igmp_upstream_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_igmp_upstream_LDADD = $(IGMP_LIBS) $(CMOCKA_LIBS)
endif
EXTRA_DIST += tests/golden

check_PROGRAMS += tests/fuzz/fuzz-igmp
TESTS += tests/fuzz/fuzz-igmp
tests_fuzz_fuzz_igmp_SOURCES = tests/fuzz/fuzz-igmp.c $(FUZZ_MAIN)
tests_fuzz_fuzz_igmp_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_igmp_LDADD = $(IGMP_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-igmp-snoop
TESTS += tests/fuzz/fuzz-igmp-snoop
tests_fuzz_fuzz_igmp_snoop_SOURCES = tests/fuzz/fuzz-igmp-snoop.c $(FUZZ_MAIN)
tests_fuzz_fuzz_igmp_snoop_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_igmp_snoop_LDADD = $(IGMP_LIBS)
