# The front door. Meson and Ninja do the work behind it.
BUILD := build

.PHONY: all setup demo image check sanitize bench fuzz coverage format trusted measurement clean

all: setup
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >/dev/null
	@ninja -C $(BUILD) --quiet

# Three enterprises, one contract, on this machine; ends with a map and a verified receipt. TEE=vm: the enclave boots in a virtual machine.
# CHAIN=anvil: the log is kept on a chain too, one of this machine's own.
demo: all $(if $(filter vm,$(TEE)),image)
	@$(if $(CHAIN),tools/setup npm && tools/with-$(CHAIN)) $(BUILD)/client/apex demo $(if $(TEE),--tee $(TEE))

# Kernel and initrd of the confidential virtual machine, into build/image.
# PEERS=FILE, RECOVERY=FILE: whom the root secret may go to, and who holds its shares (docs/root-secret.md); measured with the rest.
# ACPI=on: several processors, and the host's ACPI code in the kernel (docs/decisions/acpi.md).
image: all
	@tools/setup apt-unpack
	@tools/image $(BUILD)/image $(if $(PEERS),--peers $(PEERS)) $(if $(RECOVERY),--recovery $(RECOVERY)) $(if $(filter on,$(ACPI)),--acpi)

# Without the registry the page is not built, and all else is.
setup:
	@tools/setup
	@tools/setup npm-build || echo "setup: no node packages, so this build has no page (apex ui)"

check: all
	@tools/setup apt-unpack
	@tools/setup npm
	@tools/check

# The same tests under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: setup
	@test -f $(BUILD)-sanitize/build.ninja || meson setup $(BUILD)-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized >/dev/null
	@ninja -C $(BUILD)-sanitize --quiet
	@ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 meson test -C $(BUILD)-sanitize --print-errorlogs -t 4

# Figures with their peers in the same run. Goals missed are said; only an answer that differs from the peer's fails.
# OPS="kmeans csv" for some of the groups (see bench/figures.py), QUICK=1 for a tenth of the rows.
bench: all
	@OPS="$(OPS)" QUICK="$(QUICK)" tools/bench

# Coverage-guided fuzzing of every parser, SECONDS each (default 60).
fuzz: setup
	@tools/fuzz $(SECONDS_EACH)

# Lines of common/attest that its tests and seeds reach: 90 of a hundred or it fails.
coverage: setup
	@tools/coverage

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# How many lines a reader has to trust: what runs inside the wall.
trusted:
	@git ls-files 'enclave/*.[ch]' 'contracts/*.[ch]' 'common/*.[ch]' | xargs cat | grep -cv '^ *$$' | xargs echo 'lines inside the wall:'

# Writes down the digests this tree builds to.
measurement: all
	@tools/measurement --write

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-fuzz $(BUILD)-coverage
