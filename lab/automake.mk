# lab/: programs and scripts to try ofmcast against a real Open vSwitch.
noinst_PROGRAMS += lab/mcsend lab/mcrecv

lab_mcsend_SOURCES = lab/mcsend.c lab/mark.c lab/mark.h
lab_mcsend_LDADD = $(BASE_LIBS)
lab_mcrecv_SOURCES = lab/mcrecv.c lab/tally.c lab/tally.h \
	lab/mark.c lab/mark.h
lab_mcrecv_LDADD = $(BASE_LIBS)

EXTRA_DIST += lab/lab.py lab/procs.py lab/rest.py lab/demo.py lab/topo.py
