#!/usr/bin/env bash
# Builds vitrine and installs it, with its manual pages and the completion of bash, zsh and fish.
#
#   ./install.sh             under ~/.local
#   ./install.sh /usr/local  there (as root)

set -euo pipefail
usage() {
	echo "usage: ./install.sh [FOLDER]"
	echo "Builds vitrine and installs it, with its manual pages and completion for bash, zsh and"
	echo "fish, under FOLDER (without one: ~/.local): FOLDER/bin/vitrine, FOLDER/share/man/man1."
}
case "${1:-}" in
-h | --help)
	usage
	exit 0
	;;
-*)
	echo "install.sh: there is no option $1" >&2
	usage >&2
	exit 2
	;;
esac
if [ $# -gt 1 ]; then
	usage >&2
	exit 2
fi
if ! command -v go >/dev/null; then
	echo "install.sh: the command go is not found; install Go 1.26 or later: https://go.dev/dl/" >&2
	exit 1
fi
prefix=$(realpath -m "${1:-$HOME/.local}")
cd "$(dirname "$0")"

mkdir -p "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
	"$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
go run ./internal/playpage/build # what vitrine playground serves
go build -o "$prefix/bin/vitrine" ./cmd/vitrine
vitrine=$prefix/bin/vitrine
"$vitrine" man "$prefix/share/man/man1"
"$vitrine" completion bash >"$prefix/share/bash-completion/completions/vitrine"
"$vitrine" completion zsh >"$prefix/share/zsh/site-functions/_vitrine"
"$vitrine" completion fish >"$prefix/share/fish/vendor_completions.d/vitrine.fish"
echo "$vitrine is installed, with its manual: man vitrine, man vitrine-handshake"
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "The shell does not look there yet: add $prefix/bin to PATH" ;;
esac
