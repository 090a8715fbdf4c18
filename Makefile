# SPDX-License-Identifier: GPL-2.0-or-later
# A thin door to Meson and the tests. Each target installs the Debian packages it needs.

BUILD = build
SANITIZED = build-sanitized
FAULTS = build-faults
FUZZ = build-fuzz
FUZZ_SECONDS ?= 600

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	scripts/dependencies.sh build
	meson setup $(BUILD)

$(SANITIZED)/build.ninja:
	scripts/dependencies.sh build test
	meson setup $(SANITIZED) -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false \
		-Dfault_points=true

# The program with the places where tests make it fail (tools/pmem-preserve/base/fault.h).
faults: $(FAULTS)/build.ninja
	ninja -C $(FAULTS) pmem-preserve

$(FAULTS)/build.ninja:
	scripts/dependencies.sh build
	meson setup $(FAULTS) -Dfault_points=true

$(FUZZ)/build.ninja:
	scripts/dependencies.sh build fuzz
	CC=clang-14 meson setup $(FUZZ) -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all'

# The driver, and the modules of the tests, for the kernels of the VM: build/modules/KERNEL/*.ko.
modules:
	scripts/dependencies.sh driver
	scripts/build-modules 6.1 6.12

# A VM with an emulated NVDIMM in which a checkpoint survives a kexec.
demo: all
	scripts/dependencies.sh vm
	tests/qemu-nvdimm/demo

# Everything, the VM suites too.
check: all faults modules deb $(SANITIZED)/build.ninja $(FUZZ)/build.ninja
	scripts/dependencies.sh test driver-test patches vm debian
	tests/run fast fuzz driver patches vm debian

# No VM; under two minutes; with address and undefined-behaviour sanitizers.
check-fast: all $(SANITIZED)/build.ninja
	scripts/dependencies.sh test
	tests/run fast

# Malformed images for the reader, as long as FUZZ_SECONDS says; see tests/fuzz/README.md.
fuzz: $(FUZZ)/build.ninja
	scripts/dependencies.sh build test fuzz
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

# Debian packages, in build/deb.
deb:
	scripts/dependencies.sh build deb
	scripts/build-deb

# Debian 12 machines with these packages and real services, there and back.
check-debian: deb modules
	scripts/dependencies.sh vm debian
	tests/run debian

# The driver: its build everywhere, and what the kernel's own checkers say; no VM.
check-driver: modules
	scripts/dependencies.sh driver-test
	tests/run driver

# The series in patches/, on the kernels that they are for: each step is applied and compiled; no VM.
check-patches:
	scripts/dependencies.sh driver-test patches
	tests/run patches

# Us beside tar, cp, rsync, mkfs.erofs and the limit: tables, build/bench.json and a picture.
bench: all
	scripts/dependencies.sh bench
	ninja -C $(BUILD) limit digests
	$(BUILD)/digests
	bench/run --json $(BUILD)/bench.json --picture $(BUILD)/bench.svg

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(SANITIZED) $(FAULTS) $(FUZZ) build-coverage

.PHONY: all faults modules demo check check-fast check-driver check-patches check-debian fuzz deb bench \
	install clean
