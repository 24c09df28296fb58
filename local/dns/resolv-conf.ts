/** How this machine resolves names. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";

export interface MachineResolver {
  /** IP addresses. */
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
}

/** @param text as in `/etc/resolv.conf`; the last list of search domains counts */
export function parseResolvConf(text: string): MachineResolver {
  const nameservers: string[] = [];
  let searches: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...rest] = line
      .replace(/[#;].*$/u, "")
      .trim()
      .split(/\s+/u);
    if (word === "nameserver" && rest[0] && isIP(rest[0]) !== 0) nameservers.push(rest[0]);
    if (word === "search" || word === "domain") searches = rest.filter((domain) => domain !== ".");
  }
  return { nameservers, searches };
}

/** Read each time: the machine may have moved to another network. A machine without the file has no resolver. */
export async function machineResolver(file = "/etc/resolv.conf"): Promise<MachineResolver> {
  try {
    return parseResolvConf(await readFile(file, "utf8"));
  } catch {
    return { nameservers: [], searches: [] };
  }
}
