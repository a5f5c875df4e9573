// Publications in front of the Bot API, which honours no key.
import { join } from "node:path";
import { prepareAtGate } from "../stop/approved-tasks.mjs";
import { openSink } from "./sink.mjs";

const channel = "-1001234567890";

export async function preparePosts(scratch, directory, count) {
  const nameOf = ({ task_id }) => `Post of ${task_id}`;
  const { approve } = await prepareAtGate(scratch, count, nameOf);
  const sink = await openSink(join(directory, "sink.ndjson"), { answerMs: 300 });
  return {
    action: "PUBLISH",
    hands: 4,
    env: {
      TELEGRAM_BOT_TOKEN: "1:kill-harness",
      TELEGRAM_API_ROOT: sink.url,
      TELEGRAM_CHAT_ID: channel,
    },
    approve,
    nameOf,
    happened: () => sink.posts(channel),
    repeated: () => [],
    close: () => sink.close(),
  };
}
