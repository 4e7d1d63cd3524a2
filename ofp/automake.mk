noinst_LIBRARIES += libofp.a
libofp_a_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS)
libofp_a_SOURCES = \
	ofp/ofp-blob.c ofp/ofp-blob.h \
	ofp/ofp-canon.c ofp/ofp-canon.h \
	ofp/ofp-decode.c ofp/ofp-decode.h \
	ofp/ofp-encode.c ofp/ofp-encode.h \
	ofp/ofp-entry.c \
	ofp/ofp-error.c ofp/ofp-error.h \
	ofp/ofp-flow.c ofp/ofp-flow.h \
	ofp/ofp-ids.c ofp/ofp-ids.h \
	ofp/ofp-msg.c ofp/ofp-msg.h \
	ofp/ofp-names.c ofp/ofp-names.h \
	ofp/ofp-port-stats.c ofp/ofp-port-stats.h \
	ofp/ofp-ports.c ofp/ofp-ports.h \
	ofp/ofp-proto.h \
	ofp/ofp-readback.c \
	ofp/ofp-round.c \
	ofp/ofp-send.c \
	ofp/ofp-session-out.c ofp/ofp-session.c ofp/ofp-session.h \
	ofp/ofp-static.c ofp/ofp-static.h \
	ofp/ofp-stats.c \
	ofp/ofp-stream.c ofp/ofp-stream.h \
	ofp/ofp-table.c ofp/ofp-table.h ofp/ofp-table-private.h \
	ofp/ofp-sample.c ofp/ofp-sample.h \
	ofp/ofp-text.c ofp/ofp-text.h

if HAVE_CMOCKA
ofp_tests = \
	tests/unit/test-ofp-encode \
	tests/unit/test-ofp-session \
	tests/unit/test-ofp-static \
	tests/unit/test-ofp-table \
	tests/unit/test-ofp-table-random \
	tests/unit/test-ofp-table-sync
check_PROGRAMS += $(ofp_tests)
TESTS += $(ofp_tests)
tests_unit_test_ofp_encode_SOURCES = tests/unit/test-ofp-encode.c
tests_unit_test_ofp_encode_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_encode_LDADD = $(OFP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ofp_session_SOURCES = tests/unit/test-ofp-session.c
tests_unit_test_ofp_session_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_session_LDADD = $(OFP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ofp_static_SOURCES = tests/unit/test-ofp-static.c
tests_unit_test_ofp_static_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_static_LDADD = $(OFP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ofp_table_SOURCES = tests/unit/test-ofp-table.c \
	tests/unit/ofp-rig.c tests/unit/ofp-rig.h
tests_unit_test_ofp_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_table_LDADD = tests/sim/libfakeswitch.a \
	$(OFP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ofp_table_random_SOURCES = tests/unit/test-ofp-table-random.c \
	tests/unit/ofp-rig.c tests/unit/ofp-rig.h
tests_unit_test_ofp_table_random_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_table_random_LDADD = tests/sim/libfakeswitch.a \
	$(OFP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ofp_table_sync_SOURCES = tests/unit/test-ofp-table-sync.c \
	tests/unit/ofp-rig.c tests/unit/ofp-rig.h
tests_unit_test_ofp_table_sync_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_table_sync_LDADD = tests/sim/libfakeswitch.a \
	$(OFP_LIBS) $(CMOCKA_LIBS)
endif

# Against a real Open vSwitch: tests/system/test_table.py runs it.
EXTRA_DIST += tests/system/test_table.py
noinst_PROGRAMS += tests/system/table-probe
tests_system_table_probe_SOURCES = tests/system/table-probe.c
tests_system_table_probe_LDADD = $(OFP_LIBS)

ofp_fuzzers = \
	tests/fuzz/fuzz-ofp-static \
	tests/fuzz/fuzz-ofp-stream
check_PROGRAMS += $(ofp_fuzzers)
TESTS += $(ofp_fuzzers)
tests_fuzz_fuzz_ofp_static_SOURCES = tests/fuzz/fuzz-ofp-static.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ofp_static_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS)
tests_fuzz_fuzz_ofp_static_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ofp_static_LDADD = $(OFP_LIBS)
tests_fuzz_fuzz_ofp_stream_SOURCES = tests/fuzz/fuzz-ofp-stream.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ofp_stream_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS)
tests_fuzz_fuzz_ofp_stream_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ofp_stream_LDADD = $(OFP_LIBS)
