#!/usr/bin/env bash
# Runs every test that needs a real PostgreSQL, on the server of DATABASE_URL: the contract suite over its
# transports, the races, and whatever else opens a native database.
#   native.sh [options for vitest]
set -euo pipefail
: "${DATABASE_URL:?a migrator on a PostgreSQL 15 or newer with pgvector}"

mapfile -t files < <(
  { find tests/database -name '*.test.ts'; grep -rlE 'support/native|process\.env\.DATABASE_URL' tests --include='*.test.ts'; } | sort -u
)
exec npx vitest run "${files[@]}" "$@"
