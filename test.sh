#!/usr/bin/env bash
# Every check and every test of Vitrine.
#
#   ./test.sh          all of it: some minutes on two cores
#   ./test.sh quick    without the race detector and without fuzzing
#
# As root it installs the Debian packages whose programs the tests call, and a skipped test is then a failure. Otherwise a test that
# misses a program is skipped, and the end says which package it wants.

set -euo pipefail
cd "$(dirname "$0")"

mode=${1:-all}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }
say() { printf '   %s\n' "$*"; }
fail() {
	say "FAILED: $*"
	exit 1
}

# A file or program that is needed, and the Debian package that has it. The C compiler is the race detector's.
needs='openssl openssl
gnutls-cli gnutls-bin
gnutls-serv gnutls-bin
python3 python3
chromium chromium
xxd xxd
curl curl
tshark tshark
gcc gcc
/usr/include/stdlib.h libc6-dev'

missing_packages() {
	while read -r what package; do
		[ -e "$what" ] || command -v "$what" >/dev/null || echo "$package"
	done <<<"$needs" | sort -u | tr '\n' ' '
}

install_programs() {
	local packages
	packages=$(missing_packages)
	if [ -z "$packages" ]; then
		say 'all there'
	elif [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "not there, and installed only by root on Debian: $packages"
	else
		say "installing $packages"
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update
		# shellcheck disable=SC2086 # a list of words
		apt-get -qq -y --no-install-recommends install $packages >"$scratch/apt" 2>&1 || {
			cat "$scratch/apt"
			fail "apt-get could not install $packages"
		}
	fi
}

check_vulnerabilities() {
	if go tool -modfile=tools.mod govulncheck ./... >"$scratch/vulnerabilities" 2>&1; then
		say 'none known'
	elif grep -q 'fetching vulnerabilities' "$scratch/vulnerabilities"; then
		say 'not checked: the database at vuln.go.dev cannot be reached from here'
	else
		cat "$scratch/vulnerabilities"
		fail 'govulncheck'
	fi
}

# Fuzzing for a moment, to see that every target runs; what it found before is in testdata and runs with every test.
fuzz_all() {
	local file package target
	grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do
		package=$(dirname "$file")
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
			say "$package $target: $(go test -run '^$' -fuzz "^$target\$" -fuzztime 2s "$package" 2>&1 | tee "$scratch/fuzz" | grep -c '^fuzz:' || true) reports"
			grep -q '^ok' "$scratch/fuzz" || {
				cat "$scratch/fuzz"
				exit 1
			}
		done
	done || fail 'fuzzing'
}

# The tests of the page in a browser are a module of their own.
every_test() {
	local failed=0
	go test -json -count=1 -timeout 5m -vet=off ./... || failed=1
	(cd browsertest && go test -json -count=1 -timeout 5m -vet=off ./...) || failed=1
	return "$failed"
}

step 'Programs'
command -v go >/dev/null || fail 'Go is not installed: https://go.dev/dl has it'
say "$(go version)"
install_programs

step 'gofmt'
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || fail "$unformatted"
step 'go vet'
go vet ./...
(cd browsertest && go vet ./...)
step 'staticcheck'
go tool -modfile=tools.mod staticcheck ./...
step 'Known vulnerabilities'
check_vulnerabilities

if [ "$mode" != quick ]; then
	if command -v gcc >/dev/null; then
		step 'Tests of what runs concurrently, with the race detector'
		go test -race . ./vhttp ./session ./handshake ./trace ./kex
		go test -race -run 'Go$|Defaults|Close|Exported' ./internal/interop
	else
		step 'No race detector: it needs a C compiler (Debian: gcc, libc6-dev)'
	fi
	step 'Fuzzing, two seconds each'
	fuzz_all
fi

step 'All tests'
verdict=()
[ "$(id -u)" != 0 ] || verdict=(-no-skips)
go build -o "$scratch/tally" ./internal/tally
# vet ran above. One count of each: nothing comes from a cache.
every_test | "$scratch/tally" "${verdict[@]}"
