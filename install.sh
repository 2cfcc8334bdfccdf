#!/usr/bin/env bash
# Builds vitrine and installs it, with its manual pages and the completion of bash, zsh and fish.
#
#   ./install.sh             under ~/.local
#   ./install.sh /usr/local  there (as root)

set -euo pipefail
prefix=$(realpath -m "${1:-$HOME/.local}")
cd "$(dirname "$0")"

mkdir -p "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
	"$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
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
