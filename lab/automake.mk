# lab/: programs and scripts to try ofmcast against a real Open vSwitch.
noinst_PROGRAMS += lab/leash lab/mcsend lab/mcrecv

# Without sanitizers, of which there is no static one.
lab_leash_SOURCES = lab/leash.c
lab_leash_CFLAGS =
lab_leash_LDFLAGS = -static
lab_mcsend_SOURCES = lab/mcsend.c lab/mark.c lab/mark.h
lab_mcsend_LDADD = $(BASE_LIBS)
lab_mcrecv_SOURCES = lab/mcrecv.c lab/arrival.c lab/arrival.h \
	lab/mcjoin.c lab/mcjoin.h lab/tally.c lab/tally.h lab/mark.c lab/mark.h
lab_mcrecv_LDADD = $(BASE_LIBS)

EXTRA_DIST += lab/build lab/chain.py lab/console.py lab/demo.py \
	lab/demo_fabric.py lab/fabric.py lab/lab.py lab/mn lab/netns.py lab/openflow.py \
	lab/ovsdb.py lab/procs.py lab/rest.py lab/topo.py

# The tests that need a real Open vSwitch; ./check runs them.
EXTRA_DIST += \
	tests/check.py \
	tests/mininet/play.py \
	tests/mininet/test_mininet.py \
	tests/system/conftest.py tests/system/events.py \
	tests/system/test_config_reload.py tests/system/test_guards.py \
	tests/system/test_linked_switches.py \
	\
	tests/system/frames.py \
	tests/system/peer.py \
	tests/system/scene.py \
	tests/system/test_bad_frames.py \
	tests/system/fabric_scene.py \
	tests/system/test_disk.py \
	tests/system/test_doctor.py \
	tests/system/test_explain.py \
	tests/system/test_explain_live.py \
	tests/system/test_filters.py \
	tests/system/test_fragments.py \
	tests/system/test_mut.py \
	tests/system/test_nd_upstream.py \
	tests/system/test_route_join.py \
	tests/system/test_route_origins.py \
	tests/system/test_routes.py \
	tests/system/test_source_pool.py \
	tests/system/test_table.py \
	tests/system/test_tap.py \
	tests/system/test_two_daemons.py \
	tests/system/test_unicast.py \
	tests/system/test_views.py \
	tests/system/test_vxlan.py \
	tests/system/test_vxlan_ends.py \
	tests/system/test_wrong_port.py \
	tests/system/vxlan_scene.py \
	tests/system/test_fabric.py \
	tests/system/test_fabric_channels.py \
	tests/system/test_fabric_failures.py \
	tests/system/test_fabric_far.py \
	tests/system/test_fabric_vxlan.py \
	tests/system/test_fabric_forgery.py \
	tests/system/test_fanout.py \
	tests/system/test_filter_churn.py \
	tests/system/test_faults.py \
	tests/system/test_groups.py \
	tests/system/test_half_open.py \
	tests/system/test_hosts.py \
	tests/system/test_igmp_versions.py \
	tests/system/test_import.py \
	tests/system/test_ipv6.py \
	tests/system/test_leave_modes.py \
	tests/system/test_main_job.py \
	tests/system/test_members.py \
	tests/system/test_network.py \
	tests/system/test_querier_address.py \
	tests/system/test_rest.py \
	tests/system/test_route_churn.py \
	tests/system/test_restart.py \
	tests/system/test_shared_port.py \
	tests/system/test_survival.py \
	tests/system/test_two_switches.py \
	tests/system/test_writes.py \
	tests/system/wire.py

# Neighbours that are none of ours, and what did our job before.
EXTRA_DIST += lab/kernel.py tests/system/plain.py \
	tests/system/test_scenarios.py tests/system/test_scenarios_members.py \
	tests/system/test_scenarios_payload.py \
	tests/system/test_scenarios_relay.py tests/system/test_scenarios_wide.py
EXTRA_DIST += lab/peers.py \
	tests/system/test_election.py tests/system/test_upstream.py

# make check-system K=leave runs the system tests of this build by name.
check-system: all
	OFMCAST_BUILD=$(abs_builddir) /usr/bin/python3 -m pytest \
	    -p no:cacheprovider $(if $(K),-k "$(K)") $(srcdir)/tests/system
check-mininet: all
	OFMCAST_BUILD=$(abs_builddir) /usr/bin/python3 -m pytest \
	    -p no:cacheprovider $(if $(K),-k "$(K)") $(srcdir)/tests/mininet
.PHONY: check-system check-mininet
