import { lookup } from "node:dns/promises";

/** Every address that this machine would take for a name, of both families; for `safeFetch`. */
export const resolveHost = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
