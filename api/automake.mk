# api/
noinst_LIBRARIES += libapi.a
libapi_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CJSON_CFLAGS)
libapi_a_SOURCES = \
	api/api-call.h \
	api/api-conns.c \
	api/api-conns.h \
	api/api-dispatch.c \
	api/api-dispatch.h \
	api/api-doctor.c \
	api/api-events.c \
	api/api-events.h \
	api/api-explain.c \
	api/api-live.c \
	api/api-groups.c \
	api/api-groups.h \
	api/api-json-add.c \
	api/api-json.c \
	api/api-json.h \
	api/api-list.c \
	api/api-list.h \
	api/api-metrics.c \
	api/api-metrics.h \
	api/api-openapi.c \
	api/api-page.c \
	api/api-problem.c \
	api/api-problem.h \
	api/api-read.c \
	api/api-request.c \
	api/api-request.h \
	api/api-resources.c \
	api/api-resources.h \
	api/api-server.c \
	api/api-server.h \
	api/api-topology.c \
	api/api-write.c

# The web page and the schemas as C strings.
EXTRA_DIST += doc/rest.md web/index.html api/schemas.json
CLEANFILES += api/page.inc api/schemas.inc
TEXT_TO_C = $(MKDIR_P) api && \
	sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/'
api/page.inc: web/index.html
	$(AM_V_GEN)$(TEXT_TO_C) $(srcdir)/web/index.html > $@.tmp && \
	mv $@.tmp $@
api/schemas.inc: api/schemas.json
	$(AM_V_GEN)$(TEXT_TO_C) $(srcdir)/api/schemas.json > $@.tmp && \
	mv $@.tmp $@
api/libapi_a-api-page.$(OBJEXT): api/page.inc
api/libapi_a-api-openapi.$(OBJEXT): api/schemas.inc

# A controller without a switch takes the place of the real one in tests.
noinst_LIBRARIES += tests/unit/libstubctl.a
tests_unit_libstubctl_a_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
tests_unit_libstubctl_a_SOURCES = \
	tests/unit/stub-ctl.c \
	tests/unit/stub-ctl.h
API_TEST_LIBS = libapi.a tests/unit/libstubctl.a libcontroller.a $(BASE_LIBS) \
	$(EVENT_LIBS) $(CJSON_LIBS) -lm

check_PROGRAMS += tests/api/api-stub
tests_api_api_stub_SOURCES = tests/api/api-stub.c
tests_api_api_stub_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
tests_api_api_stub_LDADD = $(API_TEST_LIBS)

# Readers of other systems' configuration, pure: no controller, no I/O.
noinst_LIBRARIES += libimport.a
libimport_a_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
libimport_a_SOURCES = \
	api/import-diff.c \
	api/import-diff.h \
	api/import-igmpproxy.c \
	api/import-json.c \
	api/import-json.h \
	api/import-json5.c \
	api/import-json5.h \
	api/import-mcr.c \
	api/import-name.c \
	api/import-ofmcast.c \
	api/import-pymfcd.c \
	api/import-shell.c \
	api/import-smcroute.c \
	api/import-socat-address.c \
	api/import-socat.c \
	api/import-socat.h \
	api/import-words.c \
	api/import.c \
	api/import.h
IMPORT_LIBS = libimport.a $(BASE_LIBS) $(CJSON_LIBS)

bin_PROGRAMS += ofmcastctl
ofmcastctl_SOURCES = \
	api/ctl-client.c \
	api/ctl-client.h \
	api/ctl-command.h \
	api/ctl-crosscheck.c \
	api/ctl-crosscheck.h \
	api/ctl-doctor.c \
	api/ctl-explain.c \
	api/ctl-live.c api/ctl-live.h \
	api/ctl-export.c \
	api/ctl-fetch.c \
	api/ctl-import-text.c \
	api/ctl-import.c \
	api/ctl-import.h \
	api/ctl-main.c \
	api/ctl-neutral.c \
	api/ctl-mroute.c \
	api/ctl-rule.c \
	api/ctl-show-member.c \
	api/ctl-show-port.c \
	api/ctl-show-route.c \
	api/ctl-show.c \
	api/ctl-show.h \
	api/ctl-table.c \
	api/ctl-tap.c \
	api/ctl-table.h \
	api/ctl-topology.c \
	api/ctl-trace.c \
	api/ctl-trace.h \
	api/ctl-tree.c \
	api/ctl-watch.c
ofmcastctl_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
ofmcastctl_LDADD = $(IMPORT_LIBS)

if HAVE_CMOCKA
API_UNIT_TESTS = \
	tests/unit/test-import \
	tests/unit/test-json5 \
	tests/unit/test-api-dispatch \
	tests/unit/test-api-events \
	tests/unit/test-api-json \
	tests/unit/test-api-list \
	tests/unit/test-api-metrics \
	tests/unit/test-api-request \
	tests/unit/test-api-write \
	tests/unit/test-ctl-trace
check_PROGRAMS += $(API_UNIT_TESTS)
TESTS += $(API_UNIT_TESTS)
API_UNIT_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
API_UNIT_LIBS = $(API_TEST_LIBS) $(CMOCKA_LIBS)
API_RIG = tests/unit/api-rig.c tests/unit/api-rig.h
tests_unit_test_api_dispatch_SOURCES = tests/unit/test-api-dispatch.c \
	$(API_RIG)
tests_unit_test_api_dispatch_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_dispatch_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_events_SOURCES = tests/unit/test-api-events.c
tests_unit_test_api_events_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_events_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_json_SOURCES = tests/unit/test-api-json.c
tests_unit_test_api_json_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_json_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_list_SOURCES = tests/unit/test-api-list.c
tests_unit_test_api_list_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_list_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_metrics_SOURCES = tests/unit/test-api-metrics.c
tests_unit_test_api_metrics_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_metrics_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_request_SOURCES = tests/unit/test-api-request.c
tests_unit_test_api_request_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_request_LDADD = $(API_UNIT_LIBS)
tests_unit_test_api_write_SOURCES = tests/unit/test-api-write.c $(API_RIG)
tests_unit_test_api_write_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_api_write_LDADD = $(API_UNIT_LIBS)
tests_unit_test_import_SOURCES = tests/unit/test-import.c
tests_unit_test_import_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_import_LDADD = $(IMPORT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_json5_SOURCES = tests/unit/test-json5.c
tests_unit_test_json5_CFLAGS = $(API_UNIT_CFLAGS)
tests_unit_test_json5_LDADD = $(IMPORT_LIBS) $(CMOCKA_LIBS) -lm
tests_unit_test_ctl_trace_SOURCES = tests/unit/test-ctl-trace.c \
	api/ctl-trace.c
tests_unit_test_ctl_trace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ctl_trace_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/fuzz/fuzz-import
TESTS += tests/fuzz/fuzz-import
tests_fuzz_fuzz_import_SOURCES = tests/fuzz/fuzz-import.c $(FUZZ_MAIN)
tests_fuzz_fuzz_import_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
tests_fuzz_fuzz_import_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_import_LDADD = $(IMPORT_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-http-route
TESTS += tests/fuzz/fuzz-http-route
tests_fuzz_fuzz_http_route_SOURCES = tests/fuzz/fuzz-http-route.c $(FUZZ_MAIN)
tests_fuzz_fuzz_http_route_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
tests_fuzz_fuzz_http_route_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_http_route_LDADD = $(API_TEST_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-trace
TESTS += tests/fuzz/fuzz-trace
tests_fuzz_fuzz_trace_SOURCES = tests/fuzz/fuzz-trace.c api/ctl-trace.c \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_trace_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_trace_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_trace_LDADD = $(BASE_LIBS)

dist_check_SCRIPTS += tests/api/run
TESTS += tests/api/run
EXTRA_DIST += tests/api/conftest.py tests/api/test_api.py \
	tests/api/test_ctl.py tests/api/test_import.py \
	tests/api/test_openapi.py

sbin_PROGRAMS += ofmcastd
ofmcastd_SOURCES = api/ofmcastd.c
ofmcastd_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(OVS_CFLAGS)
ofmcastd_LDADD = $(API_LIBS)
