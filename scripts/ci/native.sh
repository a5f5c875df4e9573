#!/usr/bin/env bash
# Runs every test that opens a database on the server of DATABASE_URL: the contract suite over its transports, the races, the laws
# about the schema, what needs several processes, and the whole suite that was written for the one session of PGlite.
#   native.sh [directory for the reports]
# The second part runs even after the first has failed, so that one run tells everything.
set -euo pipefail
: "${DATABASE_URL:?a superuser of a scratch PostgreSQL 15 or newer that has pgvector}"

# One after the other, with nothing else open: a reader of the events waits for every transaction of the server, those of
# other tests too.
mapfile -t alone < <(grep -rlE '/bus\.ts"' tests --include='*.test.ts' | grep -vE '^tests/functions/_channels/' | sort)
reports="${1:-}"
outcome=0
# A statement travels here, so a test of hundreds of them takes longer than in process.
native() { # native <report> <options and files …>
  local report=()
  [ -z "$reports" ] || report=(--reporter=default --reporter=json --outputFile.json="$reports/$1")
  TEST_DATABASE=native npx vitest run --testTimeout 60000 --hookTimeout 180000 "${report[@]}" "${@:2}" || outcome=1
}
native native-alone.json --maxWorkers 1 "${alone[@]}"

# Which files those are is read from their imports, so that a new one is not forgotten.
# Left out is what is not about SQL and takes minutes: the pages in a browser, Redis (whose readers wait for every transaction
# of the server), the obeying models, the stories of the model (each is one transaction of the one session) and the chaos
# cases, which make an embedded database of their own.
mapfile -t files < <(grep -rlE '/(native|transports|schema-law|database|stage)\.ts"|process\.env\.DATABASE_URL' tests --include='*.test.ts' |
  grep -vE '^tests/(command-center/(browser|server|freshness)|functions/_channels|hostile|model|scripts/ags/chaos)/' |
  grep -vxFf <(printf '%s\n' "${alone[@]}") | sort)
[ "${#files[@]}" -gt 0 ] || { echo "no test opens a database" >&2; exit 1; }
native native.json "${files[@]}"
exit "$outcome"
