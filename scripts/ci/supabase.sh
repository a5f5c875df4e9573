#!/usr/bin/env bash
# The stock Supabase CLI on an empty database: it applies the migrations as a customer would, as a migrator who is no
# superuser, finds nothing more to do, and its advisors and type generator read what came out.
# DATABASE_URL is a superuser's address; the database is made here and dropped at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${DATABASE_URL:?a superuser of a scratch server}"
export SUPABASE_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1

name="ags_cli_$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')"
password="$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n')"
at() { node -e 'const u = new URL(process.argv[1]); u.pathname = process.argv[2]; if (process.argv[3]) [u.username, u.password] = process.argv.slice(3); u.searchParams.set("sslmode", "disable"); console.log(u.href)' "$DATABASE_URL" "$@"; }
sql() { PGOPTIONS="-c client_min_messages=warning" psql -q -v ON_ERROR_STOP=1 "$@"; }
drop() { sql "$DATABASE_URL" -c "drop database if exists $name with (force)"; rm -rf "$copy"; }

# The CLI writes beside its configuration, so it gets a copy; `cp -L` follows the links as a deploy does.
copy="$(mktemp -d)"
trap drop EXIT
mkdir "$copy/supabase"
cp -rL supabase/. "$copy/supabase/"

sql "$DATABASE_URL" -c "create database $name"
platform="$(at "$name")"
sql "$platform" -f scripts/stack/platform.sql -c "create extension if not exists vector with schema extensions" \
  -f scripts/stack/migrator.sql -c "alter role migrator login password '$password'"
remote="$(at "$name" migrator "$password")"
supabase() { npx --no-install supabase --workdir "$copy" "$@"; }

echo "--- db push"
supabase db push --remote="$remote" --yes
applied="$(sql "$platform" -Atc "select count(*) from supabase_migrations.schema_migrations")"
wanted="$(find migrations -name '*.sql' | wc -l)"
[ "$applied" -eq "$wanted" ] || { echo "$applied of $wanted migrations were applied" >&2; exit 1; }

echo "--- db push, again: nothing is left to do"
supabase db push --remote="$remote" --yes --dry-run | tee "$copy/again"
grep -qi "up to date" "$copy/again"

# The advisors look at the exposed schemas alone. Here that is `api`; the tables should stand their gaze too.
sed -i -E 's/^schemas = .*/schemas = ["public", "api"]/' "$copy/supabase/config.toml"
echo "--- db advisors: they find a planted table without row-level security, then no error and no security warning"
sql "$platform" -c "create table public.planted (id int primary key); grant select on public.planted to anon"
if supabase db advisors --remote="$remote" --type security --level error --fail-on error >"$copy/planted" 2>&1; then
  cat "$copy/planted"
  echo "the advisors did not see the planted table" >&2
  exit 1
fi
grep -q planted "$copy/planted"
sql "$platform" -c "drop table public.planted"
supabase db advisors --remote="$remote" --type security --level warn --fail-on warn
supabase db advisors --remote="$remote" --level error --fail-on error

echo "--- gen types"
supabase gen types --remote="$remote" --schema api,public >"$copy/types.ts"
grep -q "accept_event" "$copy/types.ts"
