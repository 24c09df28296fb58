/** Which addresses can stand for something that traffic is sent to. */
import type { Problem } from "../kind.ts";
import { parseAddress } from "./addresses.ts";
import { invalid } from "./problems.ts";

/** Not the unspecified address, and nothing that only the host or the link itself understands. */
export function validateEndpointIp(value: string, field: string): Problem[] {
  const address = parseAddress(value);
  if (!address) return [invalid(field, value, "must be a valid IP address")];
  const { bytes, family } = address;
  const [first = 0, second = 0, third = 0] = bytes;
  const problems: Problem[] = [];
  const refuse = (why: string) => problems.push(invalid(field, value, why));
  const isZero = (upTo: number) => bytes.slice(0, upTo).every((byte) => byte === 0);
  if (isZero(bytes.length)) refuse(`may not be unspecified (${value})`);
  if (family === 4 ? first === 127 : isZero(15) && bytes[15] === 1) refuse("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (family === 4 ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80) {
    refuse("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (family === 4 ? first === 224 && second === 0 && third === 0 : first === 0xff && (second & 0x0f) === 0x02) {
    refuse("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
  return problems;
}
