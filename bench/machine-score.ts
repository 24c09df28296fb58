/** What this machine can do, in the same run as a benchmark, so that results of different machines can be compared. */
import { createHash } from "node:crypto";

export interface MachineScore {
  /** MB/s of SHA-256 on one core. */
  readonly sha256_mb_per_s: number;
  /** MB/s of JSON.parse on one core. */
  readonly json_parse_mb_per_s: number;
}

const megabyte = 1_000_000;
const roundMs = 200;

export function machineScore(): MachineScore {
  const bytes = Buffer.alloc(megabyte, "binnacle");
  const text = JSON.stringify(
    Array.from({ length: 5_000 }, (_, index) => ({
      metadata: { name: `pod-${index}`, labels: { app: "web" } },
      spec: { replicas: index },
    })),
  );
  return {
    sha256_mb_per_s: Math.round(rate(bytes.length, () => createHash("sha256").update(bytes).digest())),
    json_parse_mb_per_s: Math.round(rate(text.length, () => JSON.parse(text))),
  };
}

function rate(bytesPerRound: number, work: () => unknown): number {
  work();
  const started = performance.now();
  let rounds = 0;
  while (performance.now() - started < roundMs) {
    work();
    rounds++;
  }
  return (rounds * bytesPerRound) / megabyte / ((performance.now() - started) / 1000);
}
