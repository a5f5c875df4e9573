#!/usr/bin/env bash
# Prints the path of a Debian 13 tree with PostgreSQL 17, pgvector, pg_cron and pgTAP; makes it when it is not there.
# The tree is kept outside the checkout when the machine lets us, and made in $SCRATCH when not.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

suite=trixie
packages=postgresql-17,postgresql-17-pgvector,postgresql-17-cron,postgresql-17-pgtap
# Another list of packages is another tree; a week-old tree is made anew, so that security updates arrive.
name="$suite-$(printf '%s %s' "$packages" "$(date +%G-%V)" | sha256sum | cut -c1-12)"

cache="${CI_CACHE:-/var/cache/dynamic-ags-ci}"
if ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
  echo "No cache at $cache: the tree is made for this run alone." >&2
  cache="${SCRATCH:?SCRATCH names the directory of this run}"
fi
tree="$cache/$name"

# Two runs on one machine make one tree: the second waits for the first.
exec 9>"$cache/$name.lock"
flock 9

if [ ! -f "$tree/.complete" ]; then
  mirror="$("$here/mirror.sh")"
  # debootstrap reads its proxy from the environment, apt from its configuration.
  eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
  [ -n "${http_proxy:-}" ] && export http_proxy
  rm -rf --one-file-system "$tree" "$cache/$name.building"
  debootstrap --variant=minbase --include="$packages" "$suite" "$cache/$name.building" "$mirror" >"$cache/$name.log" 2>&1 ||
    { tail -n 20 "$cache/$name.log" >&2; exit 1; }
  rm -rf "$cache/$name.building/var/cache/apt/archives"/*.deb
  touch "$cache/$name.building/.complete"
  mv "$cache/$name.building" "$tree"
  find "$cache" -mindepth 1 -maxdepth 1 -name "$suite-*" -not -name "$name*" -mtime +14 -exec rm -rf --one-file-system {} +
fi
printf '%s\n' "$tree"
