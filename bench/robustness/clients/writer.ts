/** Writes, optimistically, what the traffic mix says, on what the process knows; one write at a time, or a batch of them at once. */
import { setTimeout as pause } from "node:timers/promises";
import { between, type Random } from "../random.ts";
import type { RecordedClient } from "../recorder.ts";
import { batchShare, nextBatch, nextBody, nextWrite, type PlannedWrite } from "../traffic.ts";
import { clientAt, type Desk } from "./desk.ts";

/** Whom the doorbell rings after a write. */
const ring = ["reconciler"];

/** Share of the writes that are judged again whenever a slot is lost: only of these it is known how often that was. */
const volatileShare = 0.5;
/** Share of the updates that want nothing changed. */
const idleShare = 0.05;

export async function runWriter(desk: Desk, name: string): Promise<void> {
  const { known, profile, random, resting } = desk;
  const lister = clientAt(desk, `${name}-list`);
  const single = new Pen(desk, name);
  const batch = Array.from({ length: 15 }, (_, index) => new Pen(desk, `${name}-${index}`));
  while (!resting.aborted) {
    if (known.listed) {
      const plans = random() < batchShare ? nextBatch(random, profile, known.all) : [nextWrite(random, profile, known.all)];
      const pens = plans.length === 1 ? [single] : batch;
      const answered = await Promise.all(plans.map((plan, index) => pens[index]!.write(plan)));
      if (answered.includes(false)) await relist(desk, lister);
    }
    await pause(between(random, 0, 40), undefined, { signal: resting }).catch(() => {});
  }
}

/** After a write that failed, Kubernetes' clients look again. */
async function relist({ known }: Desk, lister: RecordedClient): Promise<void> {
  const listed = await lister.list({ prefix: "", at: "newest" });
  if (listed) known.replace(listed.items);
}

/** One client that writes. */
class Pen {
  readonly #desk: Desk;
  readonly #random: Random;
  readonly #client: RecordedClient;
  #judged: number | undefined;

  constructor(desk: Desk, name: string) {
    this.#desk = desk;
    this.#random = desk.random;
    this.#client = clientAt(desk, name, () => this.#judged ?? 0);
  }

  /** @returns whether it was done */
  async write(plan: PlannedWrite): Promise<boolean> {
    const random = this.#random;
    const body = nextBody(random);
    const volatile = random() < volatileShare;
    const idle = plan.type === "update" && random() < idleShare;
    let judged = 0;
    const outcome = await this.#client.write({
      ...plan,
      body: () => body,
      volatile,
      ring,
      ...(idle && { isDone: () => true }),
      think: async () => {
        judged++;
        this.#judged = volatile ? judged : undefined;
        if (random() < 0.03) await pause(between(random, 1, 60));
      },
    });
    if (!outcome || outcome.type === "refused") return false;
    if (outcome.type !== "unchanged") {
      const type = outcome.type === "deleted" ? "delete" : "put";
      this.#desk.known.apply({ type, object: outcome.object });
    }
    return true;
  }
}
