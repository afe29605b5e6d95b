# The front door. Meson and Ninja do the work behind it.
BUILD := build

.PHONY: all setup demo check bench fuzz format trusted clean

all: setup
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD)

setup:
	@tools/setup

check: all
	@tools/check

clean:
	rm -rf $(BUILD)
