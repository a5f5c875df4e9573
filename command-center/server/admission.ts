import { isLoopback, isTailnet } from "./address.ts";

export interface Listener {
  hostname: string;
  port: number;
  network: "loopback" | "tailnet";
  /** The machine's name in its tailnet, where `tailscale serve` stands before loopback or people use the name. */
  name: string | null;
}

/** Null where the request may be answered, else why not. There is no login: whoever cannot come this way does not come. */
export function refusalOf(
  request: { method: string; headers: Headers },
  peer: string,
  listener: Listener,
): string | null {
  const { headers } = request;
  const header = (name: string) => headers.get(name);
  if (header("tailscale-funnel-request") !== null) {
    return "a request from the public internet (Funnel) is never answered";
  }
  const trusted = listener.network === "loopback" ? isLoopback(peer) : isTailnet(peer);
  if (!trusted) return "the peer is not on the trusted network";
  const host = hostOf(header("host"));
  const proxied = [...headers.keys()].some((name) =>
    name.startsWith("x-forwarded-") || name === "forwarded" || name.startsWith("tailscale-")
  );
  if (proxied && listener.network === "tailnet") {
    return "the headers of a proxy do not come from loopback";
  }
  const served = proxied && listener.network === "loopback";
  if (served) {
    if (listener.name === null || host?.name !== listener.name) {
      return "the proxy's Host is not this machine's name in its tailnet";
    }
    if (!header("tailscale-user-login")) {
      return "tailscale names nobody for this request";
    }
  } else if (host === null || !isOwn(host, listener)) {
    return "the Host is not this server's";
  }
  const origin = header("origin");
  if (origin !== null && hostOf(safeHost(origin))?.name !== host?.name) {
    return "a page of another origin does not read this one";
  }
  if (header("sec-fetch-site") === "cross-site" && header("sec-fetch-mode") !== "navigate") {
    return "a page of another site does not read this one";
  }
  return null;
}

interface Host {
  name: string;
  port: number | null;
}

function isOwn({ name, port }: Host, listener: Listener): boolean {
  if ((port ?? 80) !== listener.port) return false;
  if (name === listener.hostname) return true;
  return listener.network === "loopback"
    ? ["localhost", "127.0.0.1", "::1"].includes(name)
    : name === listener.name;
}

const safeHost = (origin: string): string | null =>
  URL.canParse(origin) ? new URL(origin).host : null;

function hostOf(host: string | null): Host | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::(\d{1,5}))?$/i.exec(host ?? "");
  if (match === null) return null;
  const [, six, name, port] = match;
  return {
    name: (six ?? name).toLowerCase().replace(/\.$/, ""),
    port: port ? Number(port) : null,
  };
}
