import { readOrder } from "../_domain/order.ts";
import type { Agent } from "./agent.ts";
import { composeProposal } from "./executor.ts";
import { payloadOf } from "./source-material.ts";

/**
 * An order exactly as it was asked for, with entry, stop and target in one. What is missing is asked back, not made up:
 * a figure that the trader chose would be one that nobody wanted.
 */
export const proposeTrade: Agent = async (work, { tool }) => {
  const content = await tool("artifacts.read", () =>
    Promise.resolve({
      ...composeProposal(work),
      order: readOrder(payloadOf(work.task)),
    }));
  const { account_id, symbol, side, quantity } = content.order;
  return {
    artifact: {
      type: "proposal",
      media_type: "application/json",
      content: JSON.stringify(content),
    },
    output: { account_id, symbol, side, quantity },
  };
};
