/** The part of dns-packet that is used. The package brings no types. */
declare module "dns-packet" {
  export interface Question {
    name: string;
    type: string;
    class?: string;
  }

  export type Record =
    | { type: "A" | "AAAA" | "CNAME" | "PTR" | "NS"; name: string; ttl?: number; data: string }
    | { type: "TXT"; name: string; ttl?: number; data: string }
    | { type: "SRV"; name: string; ttl?: number; data: { priority: number; weight: number; port: number; target: string } }
    | {
        type: "SOA";
        name: string;
        ttl?: number;
        data: { mname: string; rname: string; serial: number; refresh: number; retry: number; expire: number; minimum: number };
      }
    | { type: "OPT"; name: "."; udpPayloadSize: number; flags?: number; options?: readonly unknown[] };

  export interface Packet {
    type: "query" | "response";
    id: number;
    flags: number;
    opcode?: string;
    rcode?: string;
    questions?: Question[];
    answers?: Record[];
    authorities?: Record[];
    additionals?: Record[];
  }

  interface DnsPacket {
    encode(packet: Packet): Buffer;
    /** @throws when the bytes are no DNS message */
    decode(bytes: Uint8Array): Packet;
    readonly AUTHORITATIVE_ANSWER: number;
    readonly TRUNCATED_RESPONSE: number;
    readonly RECURSION_DESIRED: number;
    readonly RECURSION_AVAILABLE: number;
  }

  const packet: DnsPacket;
  export default packet;
}
