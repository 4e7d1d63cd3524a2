noinst_LIBRARIES += libofp.a
libofp_a_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS)
libofp_a_SOURCES = \
	ofp/ofp-canon.c ofp/ofp-canon.h \
	ofp/ofp-encode.c ofp/ofp-encode.h \
	ofp/ofp-flow.c ofp/ofp-flow.h \
	ofp/ofp-msg.c ofp/ofp-msg.h \
	ofp/ofp-proto.h \
	ofp/ofp-session.h \
	ofp/ofp-static.h \
	ofp/ofp-table.h

if HAVE_CMOCKA
ofp_tests = \
	tests/unit/test-ofp-encode
check_PROGRAMS += $(ofp_tests)
TESTS += $(ofp_tests)
tests_unit_test_ofp_encode_SOURCES = tests/unit/test-ofp-encode.c
tests_unit_test_ofp_encode_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ofp_encode_LDADD = $(OFP_LIBS) $(CMOCKA_LIBS)
endif
