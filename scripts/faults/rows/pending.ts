import type { PendingRow } from "../row.ts";

/** Rows whose surface does not exist yet. Each goes on the list of a family when its requirement has landed. */
export const pending: PendingRow[] = [
  {
    id: 32,
    fault: "a committed effect is rolled back twice, and after a newer one",
    promise: "versioned, idempotent, the conflict is shown",
    waits: "DAG-15, CRT-08: no command undoes an effect yet",
  },
  {
    id: 53,
    fault: "JWTs with alg none, confused algorithms, forged roles, wrong times",
    promise: "401 for all",
    waits: "PLT-15: the platform verifies no JWT itself; on Supabase its gateway does",
  },
  {
    id: 58,
    fault: "vector search across tenants: rows, counts, timing",
    promise: "no foreign row, all own ones, no slope",
    waits: "DAT-17: a second tenant",
  },
  {
    id: 59,
    fault: "API keys with a wrong checksum, revoked, expired, beyond their scope",
    promise: "refused; a checksum without asking the database",
    waits: "KEY-02, KEY-04, KEY-05",
  },
  {
    id: 60,
    fault: "10,000 keys are revoked under load",
    promise: "none accepted a second after the commit",
    waits: "KEY-07",
  },
  {
    id: 69,
    fault: "the record is edited, cut, swapped, backdated, rehashed by a superuser",
    promise: "each is detected against an external checkpoint",
    waits: "AUD-02: a chain of hashes and its checkpoint",
  },
  {
    id: 70,
    fault: "two checkpoints of one size and different roots",
    promise: "the witness refuses, an alarm",
    waits: "AUD-02: a checkpoint and its witness",
  },
  {
    id: 71,
    fault: "yesterday's backup is restored",
    promise: "recognised as a rollback; read-only until looked at",
    waits: "AUD-02: a checkpoint outside the database",
  },
  {
    id: 72,
    fault: "the checkpoint's signing key is lost or rotated",
    promise: "the old verifies, the new signs beside it for a while",
    waits: "AUD-02: a signed checkpoint",
  },
];
