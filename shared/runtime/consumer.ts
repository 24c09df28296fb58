/** Who works on a cluster when something in it changed. */

/** The functions that a slot can ring. */
export const consumers = ["reconciler", "kubelet", "network", "capacity"] as const;
export type Consumer = (typeof consumers)[number];

/** Starts a consumer for a cluster, asynchronously: an AWS Lambda `Event` invocation, or the local dispatcher. */
export interface ConsumerInvoker {
  start(cluster: string, consumer: Consumer): Promise<void>;
}

/** What a consumer's invocation is told. Nothing in it is believed: it only says where to look. */
export interface ConsumerEvent {
  readonly cluster: string;
  readonly consumer: Consumer;
  /** Look at everything, not only at what changed since this function last looked. */
  readonly sweep?: boolean;
}

/** One-shot wake-ups in the future (EventBridge Scheduler: 60 s precision). */
export interface WakeUps {
  /** Idempotent per cluster and minute; at least 60 s ahead. */
  at(cluster: string, consumer: Consumer, when: Date): Promise<void>;
}
