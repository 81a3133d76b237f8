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
LDLIBS   := -luv -linih -ljansson -lqrencode -llmdb -lmsgpackc -lseccomp -lsodium -lutf8proc -lzstd -lm

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
	@ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo 'cc $@'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

$(BUILD)/vereda: $(BUILD)/cli/main.o $(BUILD)/libcli.a $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/veredad: $(BUILD)/daemon/main.o $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# A unit test links what its layer may know.
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libsim.a $(BUILD)/libcli.a $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@

# The simulator, whose world and store in memory unit tests use as well.
SIM := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/sim/main.c,$(wildcard tests/sim/*.c)))
$(BUILD)/libsim.a: $(SIM)
$(BUILD)/tests/sim/sim: $(BUILD)/tests/sim/main.o $(BUILD)/libsim.a $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Every seed is another story; a failing one is replayed with build/tests/sim/sim SEED, or sim -b SEED where three of twenty are hostile.
SEEDS ?= 500
sim: $(BUILD)/tests/sim/sim
	@$< -n $(SEEDS)
	@$< -b -n $(SEEDS)

# Fuzz targets: under libFuzzer in the fuzz variant; elsewhere each is linked with a main that replays its corpus.

REPLAY := $(patsubst tests/fuzz/%_fuzz.c,$(BUILD)/tests/fuzz/%_replay,$(wildcard tests/fuzz/*_fuzz.c))

$(BUILD)/tests/fuzz/%_replay: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libsim.a $(BUILD)/libcli.a $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/tests/fuzz/%_fuzz: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/libsim.a $(BUILD)/libcli.a $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer $^ $(LDLIBS) -o $@

# Power cuts: a recorder to preload, a workload, and what examines the states a cut may leave.
CRASH := $(addprefix $(BUILD)/tests/crash/,record.so workload replay)
$(BUILD)/tests/crash/record.so: tests/crash/record.c
	@mkdir -p $(@D)
	@echo 'link $@'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared $< -o $@
$(BUILD)/tests/crash/workload: $(BUILD)/tests/crash/workload.o $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@
$(BUILD)/tests/crash/replay: $(BUILD)/tests/crash/replay.o $(BUILD)/tests/crash/examine.o $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Failing disks, sticks and memory: what to preload, and who runs every command with every call failing. And what counts bytes.
FAULTS := $(addprefix $(BUILD)/tests/faults/,fail.so small.so count.so stick.so run)
$(BUILD)/tests/faults/%.so: tests/faults/%.c
	@mkdir -p $(@D)
	@echo 'link $@'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared $< -o $@
$(BUILD)/tests/faults/run: $(BUILD)/tests/faults/run.o $(BUILD)/tests/faults/place.o $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Debian packages: what it takes to build, and what the tests want besides.
PACKAGES      := gcc make pkg-config libc6-dev libuv1-dev libmsgpack-dev libsodium-dev liblmdb-dev libjansson-dev libinih-dev libqrencode-dev libseccomp-dev libutf8proc-dev libzstd-dev
PACKAGES_TEST := $(PACKAGES) libcmocka-dev clang libclang-rt-14-dev iproute2 jq binutils dosfstools fusefat

help:
	@echo 'make demo      install what is missing, build, and show three people exchanging records (under two minutes)'
	@echo 'make test      install what is missing, build, run every test; ends with: N passed, N failed'
	@echo 'make           build build/vereda and build/veredad'
	@echo 'make deps      install the Debian packages that are missing (root, or sudo)'
	@echo 'make asan      build and run the unit tests and corpora under AddressSanitizer and UBSan'
	@echo 'make clang     build and run the same as clang optimizes them'
	@echo 'make bench     measure, as ratios to what this machine can do'
	@echo 'make bench-big the same with a million records (20 minutes at most)'
	@echo 'make fuzz SECONDS=60   fuzz every decoder that long'
	@echo 'make sim       a long simulation campaign over SEEDS=500 seeds, with and without hostile devices'
	@echo 'make crash     10,000 power cuts, as many pulled sticks, and sticks that are bad'
	@echo 'make kill      1,000 kills of commands, and of a daemon with eight peers and two sticks'
	@echo 'make faults    every command with every read, write, sync, allocation… failing, once and for good'
	@echo 'make layers    check who includes whom, and that proto/ is pure'
	@echo 'make install   PREFIX=/usr/local'
	@echo 'make clean'

deps:
	@tests/deps.sh $(PACKAGES)
deps-test:
	@tests/deps.sh $(PACKAGES_TEST)

layers: $(BUILD)/libvereda.a
	@tests/layers.sh $<

demo: deps
	@$(MAKE) --no-print-directory all
	@tests/e2e/demo.sh

# The same sources twice: gcc as shipped, and clang with the sanitizers. (clang without them is a target of its own: `make clang`.)
test: deps-test
	@$(MAKE) --no-print-directory -j$$(nproc) variant-default variant-asan
	@tests/run.sh
variant-%:
	@$(MAKE) --no-print-directory VARIANT=$* all programs $(if $(filter default,$*),$(CRASH) $(FAULTS))

programs: $(UNIT) $(REPLAY) $(BUILD)/tests/sim/sim $(BUILD)/tests/bench/bench

asan clang: deps-test
	@$(MAKE) --no-print-directory -j2 VARIANT=$@ all programs
	@tests/run.sh $@

fuzz: deps-test
	@$(MAKE) --no-print-directory -j2 VARIANT=fuzz fuzzers
	@tests/fuzz/run.sh $(SECONDS)
fuzzers: $(FUZZ)

crash: deps all $(CRASH) $(FAULTS)
	@tests/crash/crash.sh 10000
	@BYTES=200 tests/e2e/stick_bad.sh
kill: deps all
	@tests/crash/kill.sh 1000

faults: deps all $(FAULTS)
	@tests/faults/faults.sh 0

bench: deps all $(BUILD)/tests/bench/bench $(FAULTS)
	@$(BUILD)/tests/bench/bench
bench-big: deps all $(BUILD)/tests/bench/bench $(FAULTS)
	@$(BUILD)/tests/bench/bench big

BENCH := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/*.c))
$(BUILD)/tests/bench/bench: $(BENCH) $(LIBS)
	@echo 'link $@'
	@$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

install: all
	install -D -m 755 build/vereda $(DESTDIR)$(PREFIX)/bin/vereda
	install -D -m 755 build/veredad $(DESTDIR)$(PREFIX)/bin/veredad
	install -D -m 644 daemon/60-vereda-stick.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-vereda-stick.rules
	sed 's|@PREFIX@|$(PREFIX)|' 'daemon/vereda-stick@.service' | install -D -m 644 /dev/stdin '$(DESTDIR)$(PREFIX)/lib/systemd/system/vereda-stick@.service'
	sed 's|@PREFIX@|$(PREFIX)|' daemon/veredad.service | install -D -m 644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/user/veredad.service

clean:
	rm -rf build

.SECONDARY:
.PHONY: all help deps deps-test layers demo test programs asan clang fuzz fuzzers crash kill faults bench bench-big install clean sim
-include $(shell find build -name '*.d' 2>/dev/null)
