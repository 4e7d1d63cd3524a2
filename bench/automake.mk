# Benchmarks: see bench/README.md.
noinst_PROGRAMS += bench/bench-load
bench_bench_load_SOURCES = \
	bench/bench-load.c \
	bench/bench-peer.c bench/bench-peer.h \
	bench/bench-util.c bench/bench-util.h
bench_bench_load_LDADD = $(IGMP_LIBS)
noinst_PROGRAMS += bench/bench-fabric
bench_bench_fabric_SOURCES = \
	bench/bench-fabric.c \
	bench/fabric-peer.c bench/fabric-peer.h bench/fabric-settle.c \
	bench/bench-peer.c bench/bench-peer.h \
	bench/bench-util.c bench/bench-util.h
bench_bench_fabric_LDADD = $(IGMP_LIBS)
EXTRA_DIST += bench/README.md bench/run bench/bench-flood.py bench/bench-outage.py \
	bench/bench-join.py bench/bench-relay.py bench/bench-routes.py
noinst_PROGRAMS += bench/bench-igmp
bench_bench_igmp_SOURCES = bench/bench-igmp.c
bench_bench_igmp_LDADD = $(IGMP_LIBS)

# A host that floods, for bench-flood.py and tests/system.
noinst_PROGRAMS += bench/igmp-flood
bench_igmp_flood_SOURCES = bench/igmp-flood.c
bench_igmp_flood_LDADD = $(IGMP_LIBS)
