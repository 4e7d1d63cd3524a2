noinst_LIBRARIES += libcontroller.a
libcontroller_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CJSON_CFLAGS) \
	$(YAML_CFLAGS) $(SQLITE_CFLAGS) $(OVS_CFLAGS)
libcontroller_a_SOURCES = \
	controller/addresses.c \
	controller/admit.c \
	controller/channel-move.c \
	controller/channels.c \
	controller/config-key.c \
	controller/config-key.h \
	controller/config-member.c \
	controller/config-port.c \
	controller/config-read.c \
	controller/config-read.h \
	controller/config-vlan.c \
	controller/config-yaml.c \
	controller/config-yaml.h \
	controller/config.c \
	controller/config.h \
	controller/conn.c \
	controller/conn.h \
	controller/copies.c \
	controller/ctl-private.h \
	controller/ctl.c \
	controller/ctl.h \
	controller/drain.c \
	controller/edges.c \
	controller/fabric-hooks.c \
	controller/fabric-hooks.h \
	controller/fabric-links.c \
	controller/fabric.c \
	controller/fabric.h \
	controller/fast-path.c \
	controller/fast-path.h \
	controller/guards.c \
	controller/guards.h \
	controller/hops.c \
	controller/hops.h \
	controller/hosts.c \
	controller/json-scan.c \
	controller/json-scan.h \
	controller/json.c \
	controller/json.h \
	controller/l2.c \
	controller/listen.c \
	controller/listen.h \
	controller/log.c \
	controller/log.h \
	controller/loop.c \
	controller/loop.h \
	controller/member.c \
	controller/member.h \
	controller/members.c \
	controller/pipeline.c \
	controller/relay.c \
	controller/restore.c \
	controller/route-match.c \
	controller/route-match.h \
	controller/route-rewrite.c \
	controller/route-rewrite.h \
	controller/route-write.c \
	controller/route.c \
	controller/route.h \
	controller/routes.c \
	controller/rules.c \
	controller/spread-ends.c \
	controller/spread-move.c \
	controller/spread-plan.c \
	controller/spread.c \
	controller/static-rule.c \
	controller/statics.c \
	controller/store-db.c \
	controller/store-db.h \
	controller/store-repair.c \
	controller/store-repair.h \
	controller/store.c \
	controller/store.h \
	controller/streams.c \
	controller/switches.c \
	controller/trees.c \
	controller/view-fabric.c \
	controller/view-fabric.h \
	controller/view-host.c \
	controller/view-member.c \
	controller/view-switch.c \
	controller/view-totals.c \
	controller/view.h \
	controller/vlans.c \
	controller/writes.c

# What the pure parts of this folder link: no libevent, no OpenFlow.
JSON_LIBS = libcontroller.a $(BASE_LIBS) $(CJSON_LIBS)
CONFIG_LIBS = libcontroller.a $(IGMP_LIBS) $(YAML_LIBS) $(CJSON_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-json
TESTS += tests/unit/test-json
tests_unit_test_json_SOURCES = tests/unit/test-json.c
tests_unit_test_json_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_json_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-json-scan
TESTS += tests/unit/test-json-scan
tests_unit_test_json_scan_SOURCES = tests/unit/test-json-scan.c
tests_unit_test_json_scan_CFLAGS = \
	$(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_json_scan_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-fast-path
TESTS += tests/unit/test-fast-path
tests_unit_test_fast_path_SOURCES = tests/unit/test-fast-path.c
tests_unit_test_fast_path_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fast_path_LDADD = libcontroller.a $(OFP_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-hops
TESTS += tests/unit/test-hops
tests_unit_test_hops_SOURCES = tests/unit/test-hops.c
tests_unit_test_hops_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_hops_LDADD = libcontroller.a $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-rewrite
TESTS += tests/unit/test-route-rewrite
tests_unit_test_route_rewrite_SOURCES = tests/unit/test-route-rewrite.c
tests_unit_test_route_rewrite_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_rewrite_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route
TESTS += tests/unit/test-route
tests_unit_test_route_SOURCES = tests/unit/test-route.c
tests_unit_test_route_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-member
TESTS += tests/unit/test-member
tests_unit_test_member_SOURCES = tests/unit/test-member.c
tests_unit_test_member_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_member_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-config
TESTS += tests/unit/test-config
tests_unit_test_config_SOURCES = tests/unit/test-config.c
tests_unit_test_config_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_LDADD = $(CONFIG_LIBS) $(CMOCKA_LIBS)

STORE_HELPER = tests/unit/store-helper.c tests/unit/store-helper.h
check_PROGRAMS += tests/unit/test-store
TESTS += tests/unit/test-store
tests_unit_test_store_SOURCES = tests/unit/test-store.c $(STORE_HELPER)
tests_unit_test_store_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_store_LDADD = \
	libcontroller.a $(BASE_LIBS) $(SQLITE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-store-crash
TESTS += tests/unit/test-store-crash
tests_unit_test_store_crash_SOURCES = \
	tests/unit/test-store-crash.c $(STORE_HELPER)
tests_unit_test_store_crash_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_store_crash_LDADD = $(tests_unit_test_store_LDADD)

check_PROGRAMS += tests/unit/test-store-damage
TESTS += tests/unit/test-store-damage
tests_unit_test_store_damage_SOURCES = \
	tests/unit/test-store-damage.c $(STORE_HELPER)
tests_unit_test_store_damage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_store_damage_LDADD = $(tests_unit_test_store_LDADD)
endif

check_PROGRAMS += tests/fuzz/fuzz-rest-body
TESTS += tests/fuzz/fuzz-rest-body
tests_fuzz_fuzz_rest_body_SOURCES = \
	tests/fuzz/fuzz-rest-body.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rest_body_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
tests_fuzz_fuzz_rest_body_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_rest_body_LDADD = $(JSON_LIBS)

check_PROGRAMS += tests/fuzz/fuzz-yaml
TESTS += tests/fuzz/fuzz-yaml
tests_fuzz_fuzz_yaml_SOURCES = tests/fuzz/fuzz-yaml.c $(FUZZ_MAIN)
tests_fuzz_fuzz_yaml_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_yaml_LDADD = $(CONFIG_LIBS)
