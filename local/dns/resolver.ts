/** Answers one DNS message: names of the cluster from its directory, all others by the machine's resolver. */
import { randomInt } from "node:crypto";
import packet, { type Record as DnsRecord, type Packet, type Question } from "dns-packet";
import { clusterDomain, type Directory, lookUp, ttl } from "./cluster-names.ts";
import type { Transport, Upstream } from "./upstream.ts";

/** Response codes of RFC 1035. */
const rcode = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const;
type Rcode = (typeof rcode)[keyof typeof rcode];

/** Aliases that are followed, one after the other. */
const maxAliases = 8;
/** What a client takes over UDP if it does not say, and what is sent at most if it does: larger ones are lost on the way. */
const usualUdpBytes = 512;
const maxUdpBytes = 1_232;

export interface ResolverOptions {
  /** The cluster that a Pod with this address belongs to. */
  readonly directory: (clientAddress: string) => Promise<Directory>;
  readonly upstream: Upstream;
  /** From 0 up to, not including, 1: spreads clients over a Service's Pods. */
  readonly random: () => number;
}

interface Found {
  readonly code: Rcode;
  readonly answers: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
}

export interface Resolver {
  /** @returns the answer; undefined for what is no question at all. Never rejects */
  resolve(message: Buffer, clientAddress: string, transport: Transport): Promise<Buffer | undefined>;
}

export function createResolver({ directory, upstream, random }: ResolverOptions): Resolver {
  const find = async (question: Question, names: Directory, depth: number): Promise<Found | "elsewhere"> => {
    const answer = lookUp(names, question.name, question.type);
    switch (answer.type) {
      case "elsewhere":
        return "elsewhere";
      case "unknown":
        return { code: rcode.nameError, answers: [], authorities: [authority] };
      case "found": {
        const { answers, additionals = [] } = answer;
        return {
          code: rcode.noError,
          answers: shuffled(answers, random),
          additionals,
          authorities: answers.length === 0 ? [authority] : [],
        };
      }
      case "alias": {
        if (question.type === "CNAME" || depth >= maxAliases) return { code: rcode.noError, answers: [answer.record] };
        const target: Question = { ...question, name: answer.target };
        const behind = (await find(target, names, depth + 1)) satisfies Found | "elsewhere";
        const found = behind === "elsewhere" ? await askUpstream(target) : behind;
        return { ...found, answers: [answer.record, ...found.answers] };
      }
    }
  };

  /** Where an alias leads out of the cluster. */
  const askUpstream = async (question: Question): Promise<Found> => {
    const query = packet.encode({ type: "query", id: randomInt(0x1_0000), flags: packet.RECURSION_DESIRED, questions: [question] });
    const bytes = await upstream.ask(query, "udp");
    if (!bytes) return { code: rcode.nameError, answers: [] };
    const { answers = [], flags } = packet.decode(bytes);
    return { code: (flags & 0x0f) as Rcode, answers };
  };

  const answerTo = async (query: Packet, message: Buffer, clientAddress: string, transport: Transport): Promise<Buffer> => {
    const [question, ...others] = query.questions ?? [];
    if (query.opcode !== "QUERY") return encode(query, { code: rcode.notImplemented, answers: [] }, transport);
    if (!question || others.length > 0) return encode(query, { code: rcode.formatError, answers: [] }, transport);
    const found = await find(question, await directory(clientAddress), 0);
    if (found !== "elsewhere") return encode(query, found, transport);
    const bytes = await upstream.ask(message, transport);
    // A machine without a resolver knows no other names.
    return bytes ?? encode(query, { code: rcode.nameError, answers: [] }, transport);
  };

  return {
    async resolve(message, clientAddress, transport) {
      let query: Packet;
      try {
        query = packet.decode(message);
      } catch {
        return undefined;
      }
      if (query.type !== "query") return undefined;
      try {
        return await answerTo(query, message, clientAddress, transport);
      } catch {
        return encode(query, { code: rcode.serverFailure, answers: [] }, transport);
      }
    },
  };
}

/** Goes with every answer that says no: how long it may be remembered. */
const authority: DnsRecord = {
  type: "SOA",
  name: clusterDomain,
  ttl,
  data: {
    mname: `ns.dns.${clusterDomain}`,
    rname: `hostmaster.${clusterDomain}`,
    serial: 1,
    refresh: 7_200,
    retry: 1_800,
    expire: 86_400,
    minimum: ttl,
  },
};

function encode(query: Packet, found: Found, transport: Transport): Buffer {
  const asked = query.additionals?.find((record) => record.type === "OPT");
  const response: Packet = {
    type: "response",
    id: query.id,
    flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_AVAILABLE | (query.flags & packet.RECURSION_DESIRED) | found.code,
    questions: [...(query.questions ?? [])],
    answers: [...found.answers],
    authorities: [...(found.authorities ?? [])],
    additionals: [...(found.additionals ?? []), ...(asked ? [extension] : [])],
  };
  const bytes = packet.encode(response);
  const most = asked?.type === "OPT" ? Math.min(maxUdpBytes, Math.max(usualUdpBytes, asked.udpPayloadSize)) : usualUdpBytes;
  if (transport === "tcp" || bytes.length <= most) return bytes;
  return shortened(response, most);
}

const extension: DnsRecord = { type: "OPT", name: ".", udpPayloadSize: maxUdpBytes, flags: 0, options: [] };

/** As many answers as fit, and the mark that there are more: some clients ask again over TCP, the others do with these. */
function shortened(response: Packet, most: number): Buffer {
  const additionals = (response.additionals ?? []).filter(({ type }) => type === "OPT");
  const complete = packet.encode({ ...response, additionals });
  // What goes beside the answers may be left away without a word.
  if (complete.length <= most) return complete;
  for (let count = (response.answers ?? []).length - 1; ; count -= 1) {
    const bytes = packet.encode({
      ...response,
      flags: response.flags | packet.TRUNCATED_RESPONSE,
      answers: (response.answers ?? []).slice(0, Math.max(0, count)),
      additionals,
    });
    if (bytes.length <= most || count <= 0) return bytes;
  }
}

/** @see https://en.wikipedia.org/wiki/Fisher–Yates_shuffle */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
