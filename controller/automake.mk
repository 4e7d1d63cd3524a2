noinst_LIBRARIES += libcontroller.a
libcontroller_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(CJSON_CFLAGS) \
	$(YAML_CFLAGS) $(SQLITE_CFLAGS)
libcontroller_a_SOURCES = \
	controller/config.c \
	controller/config.h \
	controller/ctl.h \
	controller/json.c \
	controller/json.h \
	controller/route.c \
	controller/route.h \
	controller/store.c \
	controller/store.h \
	controller/view.h
