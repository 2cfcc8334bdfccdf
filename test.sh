#!/usr/bin/env bash
# Every check and every test of Vitrine.
#
#   ./test.sh          all of it: some minutes on two cores
#   ./test.sh quick    without staticcheck, other platforms, the race detector, fuzzing and known vulnerabilities, and with
#                      -short: of tests with many cases it runs samples, whose counts say so
#   ./test.sh fuzz TIME   every fuzz target for so long, 10m unless it is given, and nothing else
#
# As root it installs the Debian packages whose programs the tests call, and a skipped test is then a failure. Otherwise a test that
# misses a program is skipped, and the end says which package it wants.

set -euo pipefail
cd "$(dirname "$0")"

mode=${1:-all}
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$scratch"' EXIT

say() { printf '   %s\n' "$*"; }

# check TITLE COMMAND... goes on after a failure, so that one run tells all of them.
failed=()
check() {
	printf '\n== %s (%d s)\n' "$1" "$SECONDS"
	"${@:2}" || failed+=("$1")
}

# beside COMMAND makes the checks of a function at a low priority while the script goes on: they get the time in which its other
# checks wait, and tests that measure time are hardly delayed. What they print, and which failed, is kept until joined.
beside() {
	(
		renice -n 10 "$BASHPID" >/dev/null
		failed=()
		"$1"
		printf '%s\n' "${failed[@]}" >"$scratch/beside.failed"
	) >"$scratch/beside" 2>&1 &
	besides=$!
}

# joined waits for what runs beside the script, prints what it printed, and counts its failures.
joined() {
	local title
	wait "$besides" || true
	cat "$scratch/beside"
	if [ ! -e "$scratch/beside.failed" ]; then
		failed+=('The checks beside the others: they did not come to an end')
		return
	fi
	while read -r title; do
		[ -z "$title" ] || failed+=("$title")
	done <"$scratch/beside.failed"
}

# A file or program that is needed, and the Debian package that has it. The C compiler is the race detector's.
needs='openssl openssl
gnutls-cli gnutls-bin
gnutls-serv gnutls-bin
python3 python3
chromium chromium
chromium-headless-shell chromium-headless-shell
xxd xxd
curl curl
tstclnt libnss3-tools
tshark tshark
sslscan sslscan
nmap nmap
brotli brotli
zstd zstd
gcc gcc
/usr/include/stdlib.h libc6-dev'

missing_packages() {
	while read -r what package; do
		[ -e "$what" ] || command -v "$what" >/dev/null || echo "$package"
	done <<<"$needs" | sort -u | tr '\n' ' '
}

# known_packages PACKAGE... prints those that this release of Debian has; which it has not is said.
known_packages() {
	local package
	for package; do
		if apt-cache show "$package" >"$scratch/known" 2>&1; then
			echo "$package"
		else
			say "this release has no package $package" >&2
		fi
	done
}

install_programs() {
	local packages
	command -v go >/dev/null || {
		say 'Go is not installed: https://go.dev/dl has it'
		exit 1
	}
	say "$(go version)"
	packages=$(missing_packages)
	if [ -z "$packages" ]; then
		say 'all there'
	elif [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "not there, and installed only by root on Debian: $packages"
	else
		say "installing $packages"
		# shellcheck disable=SC2046,SC2086 # lists of words
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $(known_packages $packages) >"$scratch/apt" 2>&1 || {
			cat "$scratch/apt"
			return 1
		}
	fi
}

# plain_python puts Debian's python3 first if another would be found that is a script: a version manager's. Commands that the tests
# run start it hundreds of times, and such a script takes ten times as long as Python itself.
plain_python() {
	local first
	first=$(command -v python3) || return 0
	if [ -x /usr/bin/python3 ] && [ "$(head -c 2 "$first" | tr -d '\0')" = '#!' ]; then
		mkdir "$scratch/bin"
		ln -s /usr/bin/python3 "$scratch/bin/python3"
		PATH=$scratch/bin:$PATH
	fi
}

formatted() {
	local files
	files=$(gofmt -l .)
	[ -z "$files" ] || { say "gofmt would change $files" && return 1; }
}

# go.mod and go.sum are what go mod tidy would make them.
tidy() {
	if go mod tidy -diff >"$scratch/tidy" 2>"$scratch/tidy.err"; then
		say 'tidy'
	elif [ ! -s "$scratch/tidy" ] && grep -qE 'dial tcp|no such host|i/o timeout|proxyconnect' "$scratch/tidy.err"; then
		say 'not checked: a module is missing here, and the module proxy cannot be reached'
	else
		cat "$scratch/tidy" "$scratch/tidy.err"
		return 1
	fi
}

vulnerabilities() {
	if go tool -modfile=tools.mod govulncheck ./... >"$scratch/vulnerabilities" 2>&1; then
		say 'none known'
	elif grep -q 'fetching vulnerabilities' "$scratch/vulnerabilities"; then
		say 'not checked: the database at vuln.go.dev cannot be reached from here'
	else
		cat "$scratch/vulnerabilities"
		return 1
	fi
}

# What runs in several goroutines, and of the meetings with other stacks the quick ones. All of it runs without the race detector
# too, so here the long tests run samples. Nobody opens these programs with a debugger.
race() {
	local options=(-race -short -vet=off -gcflags=all=-dwarf=false)
	if ! command -v gcc >/dev/null; then
		say 'not done: it needs a C compiler (Debian: gcc, libc6-dev)'
		return 0
	fi
	go test "${options[@]}" . ./internal/conformance ./internal/faults ./internal/parity ./vhttp ./internal/live ./session ./trace &&
		go test "${options[@]}" -run 'TestedPrimes|Cores|Watch|Go$|Defaults|CloseFirst|Exported' ./kex ./observe ./internal/interop
}

# Nothing comes from a cache, and vet has run before. The tests of the page in a browser are a module of their own. They run
# at the same time as the others, since they mostly wait; and since tests of connections wait, too, one package more runs at a time
# than there are processors.
events() {
	local status=0 browser grpc='' options=(-json -count=1 -timeout 10m -vet=off)
	if [ "$mode" = quick ]; then
		options+=(-short)
		export GOGC=400 # less to compute; the bounds of memory hold with it, too
	fi
	(cd browsertest && go test "${options[@]}" ./...) >"$scratch/browser" &
	browser=$!
	if grpc_at_hand; then
		(cd vgrpc && go test "${options[@]}" ./...) >"$scratch/grpc" &
		grpc=$!
	fi
	go test "${options[@]}" -p $(($(nproc) + 1)) ./... || status=1
	wait $browser || status=1
	cat "$scratch/browser"
	if [ -n "$grpc" ]; then
		wait "$grpc" || status=1
		cat "$scratch/grpc"
	fi
	return $status
}

# As root nothing may be skipped.
tests() {
	local verdict=()
	[ "$(id -u)" != 0 ] || verdict=(-no-skips)
	go build -o "$scratch/tally" ./internal/tally && events | "$scratch/tally" "${verdict[@]}"
}

vet() {
	GOGC=400 go vet ./... && (cd browsertest && GOGC=400 go vet ./...) || return 1
	if grpc_at_hand; then
		(cd vgrpc && go vet ./...)
	else
		say 'vgrpc: gRPC cannot be downloaded here, so its adapter is not tested'
	fi
}

# grpc_at_hand reports whether the modules of vgrpc, a module of its own, are there or can be had.
grpc_at_hand() { (cd vgrpc && timeout 60 go mod download) >/dev/null 2>&1; }

# computed are the checks that only compute. With this GOGC the compiler and the analysers spend less time on their garbage.
computed() {
	export GOGC=400
	check 'staticcheck' go tool -modfile=tools.mod staticcheck ./...
	check 'Known vulnerabilities' vulnerabilities
	check 'Other platforms' go run ./internal/platforms windows/amd64 darwin/arm64 linux/386 linux/arm64 js/wasm
}

if [ "$mode" = fuzz ]; then
	check "Fuzzing, ${2:-10m} each; docs/fuzzing.md says what came of it" go run ./internal/fuzzing -time "${2:-10m}"
	exit ${#failed[@]}
fi
check 'Programs' install_programs
plain_python
check 'gofmt' formatted
check 'go mod tidy' tidy
check 'go vet' vet
check 'The playground as WebAssembly' go run ./internal/playpage/build
if [ "$mode" = quick ]; then
	check 'Tests, with samples of the long ones' tests
else
	beside computed
	check 'Race detector' race
	check 'Fuzzing, a second each' go run ./internal/fuzzing -brief 1s
	check 'All tests' tests
	joined
fi

if [ ${#failed[@]} -gt 0 ]; then
	printf 'FAILED: %s\n' "${failed[@]}" >&2
	exit 1
fi
