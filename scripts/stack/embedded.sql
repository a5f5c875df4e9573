-- The embedded database has one session, whose owner is a superuser: a role set in it could be undone from inside a
-- statement by this function. On a real Postgres the boundary is the login; here, nobody but the owner may call it.
revoke execute on function pg_catalog.set_config(text, text, boolean) from public;
