import ipaddr from "ipaddr.js";

/** One address of one of this machine's interfaces, as the system lists them. */
export interface Interface {
  name: string;
  address: string;
}

export interface Wish {
  /** Binds the address of the tailscale interface instead of loopback. */
  tailscale: boolean;
  /** An address by name; it must be one of the two kinds all the same. */
  address: string | null;
  port: number;
}

export type Bound =
  | { ok: true; hostname: string; port: number; network: "loopback" | "tailnet" }
  | { ok: false; problem: string };

const tailnet = [ipaddr.parseCIDR("100.64.0.0/10"), ipaddr.parseCIDR("fd7a:115c:a1e0::/48")];

/** The ranges alone prove nothing: 100.64.0.0/10 is what providers give to their customers, too. */
export function isTailnet(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  return tailnet.some(([range, bits]) => ip.kind() === range.kind() && ip.match(range, bits));
}

export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

/** Tailscale names its interface so on Linux and Windows; macOS gives it a number among its tunnels. */
const tailscaleName = /^(tailscale\d*|utun\d+)$/i;

/** The address to listen on, or why there is none. Nothing is guessed: what is not certain does not start. */
export function addressFor({ tailscale, address, port }: Wish, all: readonly Interface[]): Bound {
  const ours = all.filter(({ name, address }) => tailscaleName.test(name) && isTailnet(address));
  if (address !== null) {
    if (isLoopback(address)) return { ok: true, hostname: address, port, network: "loopback" };
    if (ours.some((one) => one.address === address)) {
      return { ok: true, hostname: address, port, network: "tailnet" };
    }
    return {
      ok: false,
      problem:
        `Not starting: ${address} is neither loopback nor an address of this machine's tailscale interface. ` +
        "Leave --address away, or use --tailscale.",
    };
  }
  if (!tailscale) return { ok: true, hostname: "127.0.0.1", port, network: "loopback" };
  const [first] = ours.filter((one) => ipaddr.parse(one.address).kind() === "ipv4").concat(ours);
  if (first === undefined) {
    return {
      ok: false,
      problem:
        "Not starting: --tailscale was given and this machine has no tailscale interface with an address of a tailnet. " +
        "Start tailscale first, or leave --tailscale away and put `tailscale serve` before loopback.",
    };
  }
  if (new Set(ours.map(({ name }) => name)).size > 1) {
    return {
      ok: false,
      problem:
        "Not starting: more than one interface looks like tailscale's. Name the one with --address.",
    };
  }
  return { ok: true, hostname: first.address, port, network: "tailnet" };
}
