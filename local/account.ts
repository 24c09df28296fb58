/** The pretended AWS account: its number, its Region, and how its ARNs read. */
import { createHash } from "node:crypto";

export interface Account {
  readonly accountId: string;
  readonly region: string;
}

/** An account number that AWS never gives out, so that no ARN of the local mode can be mistaken for a real one. */
export const localAccount = (region: string): Account => ({ accountId: "000000000000", region });

/** `arn:aws:ecs:us-east-1:000000000000:cluster/default` */
export const arn = ({ region, accountId }: Account, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${accountId}:${resource}`;

/** The three availability zones of the account's Region. */
export const zones = ({ region }: Account): readonly [string, string, string] => [`${region}a`, `${region}b`, `${region}c`];

/** An EC2-shaped id (`i-0a1b…`, 17 hexadecimal digits) that is the same for the same parts, so that it outlives restarts. */
export const stableId = (prefix: string, ...parts: readonly (string | number)[]): string =>
  `${prefix}-0${createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16)}`;
