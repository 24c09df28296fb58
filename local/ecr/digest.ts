/** Names of content: `sha256:` and 64 hexadecimal digits. Amazon ECR knows no other algorithm. */
import { createHash } from "node:crypto";

export const isDigest = (text: string): boolean => /^sha256:[0-9a-f]{64}$/u.test(text);

export const digestOf = (content: Uint8Array): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;
