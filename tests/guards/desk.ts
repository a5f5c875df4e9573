import { approvedAccess, checked, quote } from "../support/payments.ts";
import { approved, openAccount, wanted } from "../support/trading.ts";
import { given } from "./guard.ts";
import { type House, number } from "./house.ts";

/** A fresh account that trades. */
export async function account(house: House, more: Record<string, unknown> = {}): Promise<string> {
  const id = `desk-${number()}`;
  given(await openAccount(house, id, more));
  return id;
}

/** An order of 1 at 100 that two people approved; its rehearsal saw no limit, so that only the gate may refuse it. */
export async function ordered(house: House, id: string) {
  await house.clock.advance(1);
  return await approved(house, wanted(id), "100", { wealthy: true });
}

export async function customer(house: House): Promise<string> {
  const buyer = number();
  await checked(house, buyer);
  return buyer;
}

/** A paid access that two people approved. */
export async function access(house: House) {
  const buyer = await customer(house);
  const paid = await approvedAccess(house, buyer);
  await quote(house, "3.2");
  return { buyer, ...paid };
}
