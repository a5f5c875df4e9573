import { type OutsideSources, outsideSources } from "../../../command-center/sources/outside.ts";
import { configurationOf } from "../../../command-center/sources/configuration/read.ts";

/** The sources of a configuration, written as its file would be. */
export const configured = (
  document: object,
  variables: Record<string, string> = {},
  folder = ".",
): OutsideSources =>
  outsideSources(configurationOf(JSON.stringify(document), folder), {
    fetch: globalThis.fetch,
    variable: (name) => variables[name],
  });

export const gitea = (base_url: string, more: object = {}) => ({
  gitea: {
    base_url,
    token_env: "GITEA_MACHINE_TOKEN",
    machine_account: "command-center",
    repositories: ["example/plane"],
    every_seconds: 5,
    timeout_seconds: 1,
    ...more,
  },
});

export const machine = { GITEA_MACHINE_TOKEN: "machine-token" };

export const look = (): AbortSignal => AbortSignal.timeout(10_000);
