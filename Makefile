# SPDX-License-Identifier: GPL-2.0-or-later
# A thin door to Meson and the tests. Each target installs the Debian packages it needs.

BUILD = build
SANITIZED = build-sanitized

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	scripts/dependencies.sh build
	meson setup $(BUILD)

$(SANITIZED)/build.ninja:
	scripts/dependencies.sh build test
	meson setup $(SANITIZED) -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false

# A VM with an emulated NVDIMM in which a checkpoint survives a kexec.
demo: all
	scripts/dependencies.sh vm
	tests/qemu-nvdimm/demo

# Everything, the VM suite too.
check: all $(SANITIZED)/build.ninja
	scripts/dependencies.sh test vm
	tests/run fast vm

# No VM; under two minutes; with address and undefined-behaviour sanitizers.
check-fast: all $(SANITIZED)/build.ninja
	scripts/dependencies.sh test
	tests/run fast

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(SANITIZED)

.PHONY: all demo check check-fast install clean
