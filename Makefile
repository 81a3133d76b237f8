# vereda: `make help` lists what there is.
#
# One variant a folder: build/ (default), build/asan/, build/clang/, build/fuzz/… `make VARIANT=asan all` builds one.

VARIANT ?= default
BUILD   := $(if $(filter default,$(VARIANT)),build,build/$(VARIANT))
PREFIX  ?= /usr/local
SECONDS ?= 60

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS_default := -O2 -g
CFLAGS_clang   := -O2 -g
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
COMPILER_default := gcc
COMPILER_clang   := clang
COMPILER_asan    := clang
COMPILER_tsan    := clang
COMPILER_fuzz    := clang
CC := $(COMPILER_$(VARIANT))

CPPFLAGS := -I. -D_GNU_SOURCE -MMD -MP
CFLAGS   := -std=c11 -fstack-protector-strong -pthread $(WARN) $(CFLAGS_$(VARIANT)) $(EXTRA_CFLAGS)
LDFLAGS  := -pthread $(filter -fsanitize%,$(CFLAGS_$(VARIANT)))
LDLIBS   := -luv -ljansson -llmdb -lmsgpackc -lsodium -lm

PROTO  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard proto/*.c))
STORE  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard store/*.c))
DAEMON := $(patsubst %.c,$(BUILD)/%.o,$(filter-out daemon/main.c,$(wildcard daemon/*.c)))
CLI    := $(patsubst %.c,$(BUILD)/%.o,$(filter-out cli/main.c,$(wildcard cli/*.c)))
LIBS   := $(BUILD)/libdaemon.a $(BUILD)/libstore.a $(BUILD)/libvereda.a
UNIT   := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*_test.c))
FUZZ   := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

all: $(BUILD)/vereda $(BUILD)/veredad

$(BUILD)/libvereda.a: $(PROTO)
$(BUILD)/libstore.a: $(STORE)
$(BUILD)/libdaemon.a: $(DAEMON)
$(BUILD)/libcli.a: $(CLI)
$(BUILD)/%.a:
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/vereda: $(BUILD)/cli/main.o $(BUILD)/libcli.a $(LIBS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/veredad: $(BUILD)/daemon/main.o $(LIBS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# A unit test links what its layer may know.
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libcli.a $(LIBS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@

.SECONDARY:
.PHONY: all
-include $(shell find build -name '*.d' 2>/dev/null)
