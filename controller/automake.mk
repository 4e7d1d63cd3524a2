noinst_LIBRARIES += libcontroller.a
libcontroller_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CJSON_CFLAGS) \
	$(YAML_CFLAGS) $(SQLITE_CFLAGS) $(OVS_CFLAGS)
libcontroller_a_SOURCES = \
	controller/addresses.c \
	controller/admit.c \
	controller/channel-move.c \
	controller/channels.c \
	controller/channels.h \
	controller/config-key.c \
	controller/config-key.h \
	controller/config-member.c \
	controller/config-port.c \
	controller/config-read.c \
	controller/config-read.h \
	controller/config-switch.c \
	controller/config-tunnel.c \
	controller/config-vlan.c \
	controller/config-yaml.c \
	controller/config-yaml.h \
	controller/config.c \
	controller/config.h \
	controller/conn.c \
	controller/conn.h \
	controller/copies.c \
	controller/ctl-private.h \
	controller/ctl-write.c \
	controller/ctl.c \
	controller/ctl.h \
	controller/datapath.c \
	controller/doctor-facts.c \
	controller/doctor-names.c \
	controller/doctor-port.c \
	controller/doctor-private.h \
	controller/doctor-querier.c \
	controller/doctor-rule.c \
	controller/doctor-size.c \
	controller/doctor-stream.c \
	controller/doctor.c \
	controller/doctor.h \
	controller/drain.c \
	controller/edges.c \
	controller/explain-host.c \
	controller/explain-reason.c \
	controller/explain.c \
	controller/explain.h \
	controller/fabric-hooks.c \
	controller/fabric-hooks.h \
	controller/fabric-links.c \
	controller/fabric.c \
	controller/fabric.h \
	controller/fast-path.c \
	controller/fast-path.h \
	controller/guards.c \
	controller/guards.h \
	controller/history.c \
	controller/history.h \
	controller/hops.c \
	controller/hops.h \
	controller/hosts.c \
	controller/json-scan.c \
	controller/json-scan.h \
	controller/json.c \
	controller/json.h \
	controller/l2.c \
	controller/lease.c \
	controller/lease.h \
	controller/listen.c \
	controller/listen.h \
	controller/log.c \
	controller/log.h \
	controller/loop.c \
	controller/loop.h \
	controller/member.c \
	controller/member.h \
	controller/members.c \
	controller/neighbours.c \
	controller/neighbours.h \
	controller/oversize.c \
	controller/pipeline.c \
	controller/pipeline.h \
	controller/port-counters.c \
	controller/port-counters.h \
	controller/pools.c \
	controller/pools.h \
	controller/relay.c \
	controller/restore.c \
	controller/route-build.h \
	controller/route-far-table.c \
	controller/route-far.c \
	controller/route-far.h \
	controller/route-fragments.c \
	controller/route-fragments.h \
	controller/route-index.c \
	controller/route-index.h \
	controller/route-join.c \
	controller/route-join.h \
	controller/route-learn.c \
	controller/route-learn.h \
	controller/route-match.c \
	controller/route-match.h \
	controller/route-outputs.c \
	controller/route-outputs.h \
	controller/route-ports.c \
	controller/route-ports.h \
	controller/route-reply.c \
	controller/route-reply.h \
	controller/route-read-set.c \
	controller/route-read-to.c \
	controller/route-read-unicast.c \
	controller/route-read-vtep.c \
	controller/route-read.h \
	controller/route-rewrite.c \
	controller/route-rewrite.h \
	controller/route-wrong.c \
	controller/route-wrong.h \
	controller/route-targets.c \
	controller/route-unicast.c \
	controller/route-unicast.h \
	controller/route-vtep.c \
	controller/route-write.c \
	controller/route.c \
	controller/route.h \
	controller/routes.c \
	controller/rule-compile.c \
	controller/rules.c \
	controller/rules.h \
	controller/spread-ends.c \
	controller/spread-move.c \
	controller/spread-mark.c \
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
	controller/stream-key.c \
	controller/stream-key.h \
	controller/streams.c \
	controller/switches.c \
	controller/trees.c \
	controller/tunnel-ways.c \
	controller/tunnels.c \
	controller/tunnels.h \
	controller/sample.c \
	controller/sample.h \
	controller/view-explain.h \
	controller/view-fabric.c \
	controller/view-fabric.h \
	controller/view-host.c \
	controller/view-member.c \
	controller/view-route.c \
	controller/view-route.h \
	controller/view-switch.c \
	controller/view-totals.c \
	controller/view-tunnel.c \
	controller/view.h \
	controller/vlan-events.c \
	controller/vlans.c \
	controller/writes.c \
	controller/writes.h

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

check_PROGRAMS += tests/unit/test-neighbours
TESTS += tests/unit/test-neighbours
tests_unit_test_neighbours_SOURCES = tests/unit/test-neighbours.c
tests_unit_test_neighbours_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_neighbours_LDADD = \
	libcontroller.a $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-rewrite
TESTS += tests/unit/test-route-rewrite
tests_unit_test_route_rewrite_SOURCES = tests/unit/test-route-rewrite.c
tests_unit_test_route_rewrite_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_rewrite_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

# What the tests of routes share.
ROUTE_TEXT = tests/unit/route-text.c tests/unit/route-text.h

check_PROGRAMS += tests/unit/test-route
TESTS += tests/unit/test-route
tests_unit_test_route_SOURCES = tests/unit/test-route.c $(ROUTE_TEXT)
tests_unit_test_route_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-prefix
TESTS += tests/unit/test-route-prefix
tests_unit_test_route_prefix_SOURCES = tests/unit/test-route-prefix.c $(ROUTE_TEXT)
tests_unit_test_route_prefix_CFLAGS = \
	$(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_prefix_LDADD = $(JSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-ports
TESTS += tests/unit/test-route-ports
tests_unit_test_route_ports_SOURCES = tests/unit/test-route-ports.c
tests_unit_test_route_ports_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_ports_LDADD = \
	libcontroller.a $(TOPO_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-index
TESTS += tests/unit/test-route-index
tests_unit_test_route_index_SOURCES = tests/unit/test-route-index.c
tests_unit_test_route_index_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_index_LDADD = $(CONTROLLER_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-match
TESTS += tests/unit/test-route-match
tests_unit_test_route_match_SOURCES = tests/unit/test-route-match.c $(ROUTE_TEXT)
tests_unit_test_route_match_CFLAGS = \
	$(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_match_LDADD = $(CONTROLLER_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-reply
TESTS += tests/unit/test-route-reply
tests_unit_test_route_reply_SOURCES = tests/unit/test-route-reply.c $(ROUTE_TEXT)
tests_unit_test_route_reply_CFLAGS = \
	$(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_reply_LDADD = $(CONTROLLER_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-route-ipv6
TESTS += tests/unit/test-route-ipv6
tests_unit_test_route_ipv6_SOURCES = tests/unit/test-route-ipv6.c $(ROUTE_TEXT)
tests_unit_test_route_ipv6_CFLAGS = \
	$(AM_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_route_ipv6_LDADD = $(CONTROLLER_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test-pools
TESTS += tests/unit/test-pools
tests_unit_test_pools_SOURCES = tests/unit/test-pools.c
tests_unit_test_pools_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pools_LDADD = $(CONTROLLER_LIBS) $(CMOCKA_LIBS)

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

check_PROGRAMS += tests/unit/test-config-tunnel
TESTS += tests/unit/test-config-tunnel
tests_unit_test_config_tunnel_SOURCES = tests/unit/test-config-tunnel.c
tests_unit_test_config_tunnel_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_tunnel_LDADD = $(CONFIG_LIBS) $(CMOCKA_LIBS)

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
