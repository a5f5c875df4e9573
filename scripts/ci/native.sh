#!/usr/bin/env bash
# Runs every test that has a leg on a real PostgreSQL, on the server of DATABASE_URL: the contract suite over its
# transports, the races, the laws about the schema, and whatever else opens a native database.
#   native.sh [options for vitest]
set -euo pipefail
: "${DATABASE_URL:?a superuser of a scratch PostgreSQL 15 or newer that has pgvector}"

# Which files those are is read from their imports, so that a new one is not forgotten.
mapfile -t files < <(grep -rlE 'support/(native|transports|schema-law)\.ts' tests --include='*.test.ts' | sort)
[ "${#files[@]}" -gt 0 ] || { echo "no test names the native database" >&2; exit 1; }
exec npx vitest run "${files[@]}" "$@"
