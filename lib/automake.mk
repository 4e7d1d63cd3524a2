noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	lib/mcaddr.c lib/mcaddr.h \
	lib/timer-heap.c lib/timer-heap.h \
	lib/wire.c lib/wire.h \
	lib/xalloc.c lib/xalloc.h
