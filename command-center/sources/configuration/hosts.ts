import ipaddr from "ipaddr.js";

const tailnet4 = ipaddr.parseCIDR("100.64.0.0/10");
const tailnet6 = ipaddr.parseCIDR("fd7a:115c:a1e0::/48");

/** This machine, or one of the tailnet: where a request needs no TLS of its own, and where no stranger listens. */
export function isNear(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, "");
  if (bare === "localhost" || bare.endsWith(".localhost") || bare.endsWith(".ts.net")) return true;
  if (!ipaddr.isValid(bare)) return false;
  const address = ipaddr.process(bare);
  if (address.range() === "loopback") return true;
  return address.kind() === "ipv4" ? address.match(tailnet4) : address.match(tailnet6);
}
