import { positive } from "../../functions/_domain/decimal.ts";
import { transferLink } from "../../functions/_domain/payment-order.ts";
import { Sentence } from "../stack/sentence.ts";
import { actor, ask, unlessRefused } from "./holder.ts";
import { showObjects } from "./output.ts";

export interface OrderOptions {
  buyer?: string[];
  plan?: string[];
  as?: string[];
  json?: boolean;
}

interface Order {
  order_id: string;
  plan: string;
  price: string;
  currency: string;
  price_nano: string;
  expires_at: string;
  [field: string]: unknown;
}

const columns = [
  "order_id",
  "status",
  "buyer_telegram_id",
  "plan",
  "price",
  "expires_at",
  "task_id",
];

const administer = async <T>(name: string, args: Record<string, unknown>): Promise<T> =>
  unlessRefused(await ask<T>("administer", { name, args }));

/** What can be bought, who may buy, and an owner's word on an order above the cap. */
export async function orders(
  what: string,
  id: string | undefined,
  words: string[],
  options: OrderOptions,
): Promise<void> {
  const json = options.json === true;
  switch (what) {
    case "list":
      return showObjects(await administer<Order[]>("list_orders", { p_limit: 50 }), columns, json);
    case "create":
      return await create(options, json);
    case "check":
      return await check(id, words, json);
    case "override":
      return await override(id, words, options, json);
    default:
      throw new Sentence(`orders does not know "${what}": create, list, check or override.`);
  }
}

const tell = (answer: object, sentence: string, json: boolean): void =>
  console.log(json ? JSON.stringify(answer) : sentence);

async function create({ buyer, plan }: OrderOptions, json: boolean): Promise<void> {
  if (!buyer?.[0] || !plan?.[0]) {
    throw new Sentence("Write: orders create --buyer <numeric Telegram id> --plan <plan>");
  }
  const order = await administer<Order>("create_order", {
    p_order: { buyer_telegram_id: String(buyer[0]), plan: String(plan[0]) },
    p_actor: actor(),
  });
  const wallet = Deno.env.get("TON_WALLET")?.trim() || null;
  const { order_id, price, currency, expires_at } = order;
  tell(
    order,
    [
      `The buyer transfers ${price} ${currency} with the comment ${order_id}, until ${expires_at}.`,
      wallet === null ? "TON_WALLET is not set: no payment is seen." : transferLink(wallet, order),
    ].join("\n"),
    json,
  );
}

async function check(buyer: string | undefined, words: string[], json: boolean): Promise<void> {
  const [item, outcome, ...note] = words;
  if (!buyer || !item || !outcome) {
    throw new Sentence(
      "Write: orders check <numeric Telegram id> identity|sanctions|source_of_funds passed|failed [note]",
    );
  }
  const checked = await administer<{ account_id: string; kyc_status: string }>("record_kyc_check", {
    p_check: {
      telegram_user_id: buyer,
      item,
      outcome,
      ...(note.length === 0 ? {} : { note: note.join(" ") }),
    },
    p_actor: actor(),
  });
  tell(checked, `The checklist of ${checked.account_id} is ${checked.kyc_status}.`, json);
}

async function override(
  id: string | undefined,
  words: string[],
  { as }: OrderOptions,
  json: boolean,
): Promise<void> {
  const [most, ...reason] = words;
  if (!id || !most || positive(most) === null || !as?.[0] || reason.length === 0) {
    throw new Sentence("Write: orders override <order> <most USDT> <reason> --as <owner's name>");
  }
  const lifted = await administer<{ order_id: string; max_usdt: string; owner: string }>(
    "override_payment_limit",
    {
      p_override: {
        order_id: id,
        max_usdt: positive(most),
        owner: String(as[0]),
        reason: reason.join(" "),
      },
      p_actor: actor(),
    },
  );
  tell(
    lifted,
    `By the word of ${lifted.owner} this order may reach ${lifted.max_usdt} USDT. Every owner is told; whoever has approved is asked anew.`,
    json,
  );
}
