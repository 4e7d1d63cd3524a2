# The fake switch, and what is driven against it.  See tests/sim/fake-switch.h.
check_LIBRARIES += tests/sim/libfakeswitch.a
tests_sim_libfakeswitch_a_SOURCES = \
	tests/sim/fake-admin.c \
	tests/sim/fake-bundle.c \
	tests/sim/fake-packet.c tests/sim/fake-packet.h \
	tests/sim/fake-pipeline.c \
	tests/sim/fake-private.h \
	tests/sim/fake-stats.c \
	tests/sim/fake-switch.c tests/sim/fake-switch.h \
	tests/sim/fake-tables.c tests/sim/fake-tables.h \
	tests/sim/sim-random.h
tests_sim_libfakeswitch_a_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS)
FAKE_SWITCH_LIBS = tests/sim/libfakeswitch.a $(BASE_LIBS) $(OVS_LIBS)

# Is the fake one like a real one?
check_PROGRAMS += tests/sim/oracle
tests_sim_oracle_SOURCES = tests/sim/oracle.c tests/sim/oracle.h \
	tests/sim/oracle-frames.c tests/sim/oracle-removed.c
tests_sim_oracle_CFLAGS = $(AM_CFLAGS) $(OVS_CFLAGS)
tests_sim_oracle_LDADD = $(FAKE_SWITCH_LIBS)
dist_check_SCRIPTS += tests/sim/run-oracle
TESTS += tests/sim/run-oracle

if HAVE_CMOCKA
check_PROGRAMS += tests/sim/test-fake-switch
TESTS += tests/sim/test-fake-switch
tests_sim_test_fake_switch_SOURCES = tests/sim/test-fake-switch.c \
	tests/sim/rig.c tests/sim/rig.h
tests_sim_test_fake_switch_CFLAGS = \
	$(AM_CFLAGS) $(OVS_CFLAGS) $(CMOCKA_CFLAGS)
tests_sim_test_fake_switch_LDADD = $(FAKE_SWITCH_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/sim/test-fake-packet
TESTS += tests/sim/test-fake-packet
tests_sim_test_fake_packet_SOURCES = tests/sim/test-fake-packet.c \
	tests/sim/rig.c tests/sim/rig.h
tests_sim_test_fake_packet_CFLAGS = \
	$(AM_CFLAGS) $(OVS_CFLAGS) $(CMOCKA_CFLAGS)
tests_sim_test_fake_packet_LDADD = $(FAKE_SWITCH_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/sim/test-sim-table
TESTS += tests/sim/test-sim-table
tests_sim_test_sim_table_SOURCES = tests/sim/test-sim-table.c \
	tests/sim/sim-entry.c tests/sim/sim-entry.h \
	tests/sim/sim-link.c tests/sim/sim-link.h
tests_sim_test_sim_table_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sim_test_sim_table_LDADD = tests/sim/libfakeswitch.a $(OFP_LIBS) \
	$(CMOCKA_LIBS)

# The whole controller with fake switches, on a clock of its own.
SIM_NET_SOURCES = \
	tests/sim/sim-clock.c tests/sim/sim-clock.h \
	tests/sim/sim-frame.c tests/sim/sim-frame.h \
	tests/sim/sim-net.c tests/sim/sim-net.h
SIM_NET_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CJSON_CFLAGS) $(CMOCKA_CFLAGS)
SIM_NET_LIBS = tests/sim/libfakeswitch.a $(CONTROLLER_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/sim/test-sim-mcast
TESTS += tests/sim/test-sim-mcast
tests_sim_test_sim_mcast_SOURCES = tests/sim/test-sim-mcast.c \
	tests/sim/sim-hosts.c \
	tests/sim/sim-model.c tests/sim/sim-model.h \
	tests/sim/sim-world.c tests/sim/sim-world.h \
	$(SIM_NET_SOURCES)
tests_sim_test_sim_mcast_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_mcast_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-cases
TESTS += tests/sim/test-sim-cases
SIM_CASE_SOURCES = $(SIM_NET_SOURCES) tests/sim/sim-case.c tests/sim/sim-case.h
tests_sim_test_sim_cases_SOURCES = tests/sim/test-sim-cases.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_cases_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_cases_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-routes
TESTS += tests/sim/test-sim-routes
tests_sim_test_sim_routes_SOURCES = tests/sim/test-sim-routes.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_routes_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_routes_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-far
TESTS += tests/sim/test-sim-far
tests_sim_test_sim_far_SOURCES = tests/sim/test-sim-far.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_far_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_far_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-reply
TESTS += tests/sim/test-sim-reply
tests_sim_test_sim_reply_SOURCES = tests/sim/test-sim-reply.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_reply_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_reply_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-writes
TESTS += tests/sim/test-sim-writes
tests_sim_test_sim_writes_SOURCES = tests/sim/test-sim-writes.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_writes_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_writes_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-statics
TESTS += tests/sim/test-sim-statics
tests_sim_test_sim_statics_SOURCES = tests/sim/test-sim-statics.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_statics_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_statics_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-datapath
TESTS += tests/sim/test-sim-datapath
tests_sim_test_sim_datapath_SOURCES = tests/sim/test-sim-datapath.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_datapath_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_datapath_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-reasons
TESTS += tests/sim/test-sim-reasons
tests_sim_test_sim_reasons_SOURCES = tests/sim/test-sim-reasons.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_reasons_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_reasons_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-ports
TESTS += tests/sim/test-sim-ports
tests_sim_test_sim_ports_SOURCES = tests/sim/test-sim-ports.c \
	$(SIM_CASE_SOURCES)
tests_sim_test_sim_ports_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_ports_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-members
TESTS += tests/sim/test-sim-members
tests_sim_test_sim_members_SOURCES = tests/sim/test-sim-members.c \
	$(SIM_NET_SOURCES)
tests_sim_test_sim_members_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_members_LDADD = $(SIM_NET_LIBS)

check_PROGRAMS += tests/sim/test-sim-wires
TESTS += tests/sim/test-sim-wires
tests_sim_test_sim_wires_SOURCES = tests/sim/test-sim-wires.c \
	tests/sim/sim-frame.c tests/sim/sim-frame.h \
	tests/sim/sim-wires.c tests/sim/sim-wires.h
tests_sim_test_sim_wires_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_sim_test_sim_wires_LDADD = $(FAKE_SWITCH_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/sim/test-sim-fabric
TESTS += tests/sim/test-sim-fabric
tests_sim_test_sim_fabric_SOURCES = tests/sim/test-sim-fabric.c \
	tests/sim/sim-fabric.c tests/sim/sim-fabric.h \
	tests/sim/sim-fabric-check.c \
	tests/sim/sim-fabric-events.c \
	tests/sim/sim-wires.c tests/sim/sim-wires.h \
	$(SIM_NET_SOURCES)
tests_sim_test_sim_fabric_CFLAGS = $(SIM_NET_CFLAGS)
tests_sim_test_sim_fabric_LDADD = $(SIM_NET_LIBS)
endif
