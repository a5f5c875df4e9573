import type { Guard } from "./guard.ts";
import { guardsOfAccess } from "./guards-of-access.ts";
import { guardsOfBatches } from "./guards-of-batches.ts";
import { guardsOfBreakers } from "./guards-of-breakers.ts";
import { guardsOfBrokenGlass } from "./guards-of-broken-glass.ts";
import { guardsOfConsumers } from "./guards-of-consumers.ts";
import { guardsOfCritics } from "./guards-of-critics.ts";
import { guardsOfDeciding } from "./guards-of-deciding.ts";
import { guardsOfDigests } from "./guards-of-digests.ts";
import { guardsOfEffects } from "./guards-of-effects.ts";
import { guardsOfHistory } from "./guards-of-history.ts";
import { guardsOfLeases } from "./guards-of-leases.ts";
import { guardsOfLimits } from "./guards-of-limits.ts";
import { guardsOfLooking } from "./guards-of-looking.ts";
import { guardsOfOutcomes } from "./guards-of-outcomes.ts";
import { guardsOfPayments } from "./guards-of-payments.ts";
import { guardsOfPeople } from "./guards-of-people.ts";
import { guardsOfPlans } from "./guards-of-plans.ts";
import { guardsOfPolicies } from "./guards-of-policies.ts";
import { guardsOfRates } from "./guards-of-rates.ts";
import { guardsOfResuming } from "./guards-of-resuming.ts";
import { guardsOfRoles } from "./guards-of-roles.ts";
import { guardsOfRunbooks } from "./guards-of-runbooks.ts";
import { guardsOfSignatures } from "./guards-of-signatures.ts";
import { guardsOfStops } from "./guards-of-stops.ts";
import { guardsOfTrades } from "./guards-of-trades.ts";
import { guardsOfTransfers } from "./guards-of-transfers.ts";

/** Every guard by its subject. */
export const guards: Record<string, Guard[]> = {
  people: guardsOfPeople,
  deciding: guardsOfDeciding,
  digests: guardsOfDigests,
  signatures: guardsOfSignatures,
  effects: guardsOfEffects,
  outcomes: guardsOfOutcomes,
  batches: guardsOfBatches,
  leases: guardsOfLeases,
  stops: guardsOfStops,
  resuming: guardsOfResuming,
  "broken glass": guardsOfBrokenGlass,
  trades: guardsOfTrades,
  limits: guardsOfLimits,
  payments: guardsOfPayments,
  transfers: guardsOfTransfers,
  history: guardsOfHistory,
  access: guardsOfAccess,
  roles: guardsOfRoles,
  plans: guardsOfPlans,
  critics: guardsOfCritics,
  policies: guardsOfPolicies,
  consumers: guardsOfConsumers,
  looking: guardsOfLooking,
  rates: guardsOfRates,
  breakers: guardsOfBreakers,
  runbooks: guardsOfRunbooks,
};
