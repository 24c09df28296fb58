/** The files by which a Pod's containers know its name and find others: `/etc/hosts` and `/etc/resolv.conf`, as the kubelet writes them. */

export interface PodDns {
  /** The cluster's resolver. Undefined where none can be reached from Pods: then they use the machine's. */
  readonly nameserver: string | undefined;
  readonly clusterDomain: string;
  /** What the machine itself uses. */
  readonly machine: { readonly nameservers: readonly string[]; readonly searches: readonly string[] };
}

/** What a Pod asks for beyond the usual. */
export interface DnsWishes {
  readonly policy?: string;
  readonly nameservers?: readonly string[];
  readonly searches?: readonly string[];
  readonly options?: readonly { readonly name?: string; readonly value?: string }[];
}

/** The C library reads no more than three. */
const maxNameservers = 3;

/** @param namespace of the Pod; undefined for a task that runs none: it knows no short names */
export function resolvConf(dns: PodDns, namespace: string | undefined, wishes: DnsWishes = {}): string {
  const { nameserver, clusterDomain, machine } = dns;
  const usual = wishes.policy === "None" ? { nameservers: [], searches: [], options: [] } : usualDns();
  const nameservers = [...new Set([...usual.nameservers, ...(wishes.nameservers ?? [])])].slice(0, maxNameservers);
  const searches = [...new Set([...usual.searches, ...(wishes.searches ?? [])])];
  const asked = (wishes.options ?? []).flatMap(({ name, value }) => (name ? (value === undefined ? name : `${name}:${value}`) : []));
  const isAsked = (option: string) => asked.some((one) => one.split(":")[0] === option.split(":")[0]);
  const options = [...usual.options.filter((option) => !isAsked(option)), ...asked];
  return [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");

  function usualDns(): {
    readonly nameservers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  } {
    // Loopback addresses of the machine lead nowhere from inside a Pod; our resolver asks them for it.
    const reachable = machine.nameservers.filter((address) => !address.startsWith("127.") && address !== "::1");
    if (wishes.policy === "Default" || nameserver === undefined) {
      return { nameservers: reachable.length > 0 || !nameserver ? reachable : [nameserver], searches: machine.searches, options: [] };
    }
    const cluster = [`svc.${clusterDomain}`, clusterDomain];
    return {
      nameservers: [nameserver],
      searches: [...(namespace === undefined ? cluster : [`${namespace}.${cluster[0]}`, ...cluster]), ...machine.searches],
      options: ["ndots:5"],
    };
  }
}

export interface HostsInput {
  readonly address: string;
  readonly hostname: string;
  /** The name with its domain, such as `web-0.web.shop.svc.cluster.local`, where it has one. */
  readonly fqdn: string | undefined;
  readonly aliases: readonly HostAlias[];
}

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

export function hosts({ address, hostname, fqdn, aliases }: HostsInput): string {
  const entry = (ip: string, ...names: readonly string[]) => [ip, ...names].join("\t");
  return [
    "# Managed by Binnacle, as the kubelet does.",
    entry("127.0.0.1", "localhost"),
    entry("::1", "localhost", "ip6-localhost", "ip6-loopback"),
    entry("fe00::0", "ip6-localnet"),
    entry("fe00::0", "ip6-mcastprefix"),
    entry("fe00::1", "ip6-allnodes"),
    entry("fe00::2", "ip6-allrouters"),
    entry(address, ...(fqdn ? [fqdn] : []), hostname),
    ...aliases.map(({ ip, hostnames }) => entry(ip, ...hostnames)),
    "",
  ].join("\n");
}
