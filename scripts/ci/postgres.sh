#!/usr/bin/env bash
# Starts PostgreSQL 17 of the tree in a chroot, on a loopback port, as its own postgres user, until it is told to stop.
#   postgres.sh <tree> <file>      <file> receives `export DATABASE_URL=…` when the server answers
# The data is a scratch directory of this run; fsync stays on, so that what is measured here is durable.
set -euo pipefail
tree="$1"
answer="$2"
bin=/usr/lib/postgresql/17/bin

data="$(mktemp -d "$tree/var/tmp/ags-ci.XXXXXX")"
inside="${data#"$tree"}"
server=""

stop() {
  [ -n "$server" ] && kill -INT "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf --one-file-system "$data"
}
trap stop EXIT
trap 'exit 0' TERM INT

# An array and not a function: run in the background it is the server itself, so that its pid is the one to stop.
in_tree=(chroot --userspec=postgres:postgres "$tree" /usr/bin/env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME="$inside")

password="$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n')"
printf '%s' "$password" >"$data/superuser"
chroot "$tree" chown -R postgres:postgres "$inside"
"${in_tree[@]}" "$bin/initdb" -D "$inside/db" --encoding=UTF8 --locale=C.UTF-8 --username=postgres \
  --pwfile="$inside/superuser" --auth=scram-sha-256 >/dev/null
rm -f "$data/superuser"

# A port nobody listens on now; should somebody take it in between, the server does not start and says so.
port="$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')"

"${in_tree[@]}" "$bin/postgres" -D "$inside/db" -p "$port" \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories="$inside" \
  -c fsync=on -c synchronous_commit=on -c dynamic_shared_memory_type=mmap \
  -c shared_preload_libraries=pg_cron,pg_stat_statements -c cron.database_name=postgres -c cron.use_background_workers=on \
  -c max_connections=200 -c shared_buffers=256MB -c log_min_messages=error -c timezone=UTC 2>"$data/log" &
server=$!

export PGHOST=127.0.0.1 PGPORT="$port" PGUSER=postgres PGPASSWORD="$password" PGDATABASE=postgres
for _ in $(seq 1 150); do
  pg_isready -q && break
  kill -0 "$server" 2>/dev/null || { cat "$data/log" >&2; exit 1; }
  sleep 0.2
done
pg_isready -q || { echo "PostgreSQL did not answer within 30 seconds." >&2; cat "$data/log" >&2; exit 1; }

psql -q -v ON_ERROR_STOP=1 -c "create extension pg_cron"

umask 077
printf 'export DATABASE_URL=%q\n' "postgres://postgres:$password@127.0.0.1:$port/postgres" >"$answer.part"
mv "$answer.part" "$answer"
wait "$server"
