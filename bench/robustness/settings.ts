/**
 * The store's settings for a run of minutes: the ages of days and hours in seconds, in the same order, and small sizes, so that everything
 * happens often which is rare in life. What the rules of the log want of them still holds:
 * a claim that is under way longer than `verifyAfterMs` is verified, and stubs stay for longer than that (rule 3); no write of a
 * materializer is under way for longer than tombstones stay (rule 16).
 */
import type { StoreSettings } from "../../shared/store/settings.ts";

export const timeoutMs = 1_200;

export const storeSettings: Partial<StoreSettings> = {
  commitBudgetMs: 4_000,
  tokenAgeMs: 3_000,
  historyMs: 6_000,
  tombstoneMs: 6_000,
  stubMs: 12_000,
  verifyAfterMs: 4_000,
  materializeMs: 3_000,
  lifetimes: { events: { historyMs: 6_000, expireMs: 8_000 } },
  chunkSlots: 100,
  helpSlots: 60,
  windowSlots: 50,
  inlineBytes: 1_200,
  bodyBytes: 2_000,
  pollBusyMs: 20,
  pollIdleMs: 200,
  progressMs: 250,
};

/** Longer than anything of the above is waited for: who sleeps for so long wakes in another world. */
export const longSleepMs = 22_000;
