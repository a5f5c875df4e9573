#!/usr/bin/env bash
# Prints the Debian mirror that this machine's own apt uses. No address is written down in the project.
set -euo pipefail

mirror="$(apt-get indextargets --format '$(IDENTIFIER) $(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
  awk '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" && $4 == "main" { print $5; exit }' || true)"

# Before the first `apt-get update` apt does not know who is behind an address: then the sources' own lines say it.
if [ -z "$mirror" ]; then
  sources=(/etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list)
  mirror="$(for file in "${sources[@]}"; do if [ -r "$file" ]; then cat "$file"; fi; done |
    sed -nE 's/^[[:space:]]*(URIs:|deb([[:space:]]+\[[^]]*\])?)[[:space:]]+([^[:space:]]*\/debian\/?)([[:space:]].*)?$/\3/p' |
    head -n 1)"
fi

# Cloud images name a file with a list of mirrors; the first one serves.
case "$mirror" in
  mirror+file:*) mirror="$(awk '!/^[[:space:]]*(#|$)/ { print $1; exit }' "${mirror#mirror+file:}")" ;;
esac

if [ -z "$mirror" ]; then
  echo "apt on this machine names no Debian mirror, so no PostgreSQL tree can be made." >&2
  exit 1
fi
printf '%s\n' "${mirror%/}"
