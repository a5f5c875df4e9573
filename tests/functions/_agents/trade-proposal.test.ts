import { describe, expect, it } from "vitest";
import { critic } from "../../../functions/_agents/critic.ts";
import { trader } from "../../../functions/_agents/trader.ts";
import { proposalSchema } from "../../../functions/_domain/result.ts";
import { contextFor, stepOf } from "./critic-scene.ts";
import { asked, dryRunOf, market, sha256, tradeSubject } from "./trade-scene.ts";

const workOf = (node_id: string, payload = asked) => {
  const subject = tradeSubject({ payload });
  return { ...stepOf(subject), node_id, agent_class: "trader", task: { ...subject.task, payload } };
};

describe("the trader's order", () => {
  it.each(["account_id", "symbol", "side", "quantity", "type"])(
    "is not proposed without its %s",
    async (name) => {
      const { [name]: _, ...payload } = asked;
      await expect(
        trader(
          { ...workOf("act"), task: { ...workOf("act").task, payload } },
          contextFor("trader").context,
        ),
      )
        .rejects.toMatchObject({ code: "insufficient_data" });
    },
  );

  it.each(["stop_loss", "take_profit"])("is not proposed without its %s", async (name) => {
    const work = workOf("act");
    const { [name]: _, ...payload } = asked;
    await expect(trader({ ...work, task: { ...work.task, payload } }, contextFor("trader").context))
      .rejects.toMatchObject({ code: "incomplete_bracket" });
  });

  it("is the request's own, figure by figure, and passes the critic once it is rehearsed", async () => {
    const { context, called } = contextFor("trader", market);
    const work = workOf("act");
    const { artifact } = await trader(work, context);
    const proposal = proposalSchema.parse(JSON.parse(artifact!.content));
    expect(proposal).toMatchObject({
      action: "TRADE",
      order: { ...asked, price: null, reduce_only: false },
      figures: asked,
    });
    const input = {
      ...work.inputs.at(-1)!,
      content: artifact!.content,
      checksum: sha256(artifact!.content),
    };
    const inputs = [...work.inputs.slice(0, 2), input];
    const rehearsed = await trader({ ...work, node_id: "dry_run", inputs }, context);
    expect(called).toEqual(["artifacts.read", "artifacts.read", "quotes.read", "accounts.read"]);
    const run = dryRunOf(input, {});
    const judged = await critic(
      {
        ...work,
        node_id: "critic",
        agent: "critic:guard-v4",
        inputs: [...inputs, { ...run, content: rehearsed.artifact!.content }],
      },
      contextFor("critic").context,
    );
    expect(judged.evaluation).toMatchObject({ total: 9, verdict: "pass" });
  });
});
