/** The functions of a deployment: one doorway each, with what it may use. Everything else in `infra/` reads this table. */

export interface FunctionSettings {
  /** Entry file in `lambdas/`. */
  readonly entry: string;
  readonly description: string;
  /** MiB. */
  readonly memorySize: number;
  readonly timeoutSeconds: number;
  /** Reserved concurrency where the account has room for it (`BinnacleProps.reserveConcurrency`). */
  readonly reservedConcurrency?: number;
}

export const functions = {
  api: {
    entry: "api.ts",
    description: "Serves the Kubernetes API behind API Gateway",
    memorySize: 512,
    timeoutSeconds: 900,
  },
  doorbell: {
    entry: "doorbell.ts",
    description: "Reads the table's stream and starts the consumers that a change concerns",
    memorySize: 256,
    timeoutSeconds: 60,
    reservedConcurrency: 10,
  },
  reconciler: {
    entry: "reconciler.ts",
    description: "Runs controllers and scheduler until nothing more changes",
    memorySize: 1024,
    timeoutSeconds: 120,
    reservedConcurrency: 50,
  },
  kubelet: {
    entry: "kubelet.ts",
    description: "Turns bound Pods into ECS tasks and tasks into Pod status",
    memorySize: 512,
    timeoutSeconds: 300,
    reservedConcurrency: 10,
  },
  ingest: {
    entry: "ingest.ts",
    description: "Puts ECS events into the inbox",
    memorySize: 256,
    timeoutSeconds: 30,
    reservedConcurrency: 5,
  },
  capacity: {
    entry: "capacity.ts",
    description: "Keeps Node objects in step with container instances",
    memorySize: 512,
    timeoutSeconds: 120,
    reservedConcurrency: 2,
  },
} as const satisfies Record<string, FunctionSettings>;

export type FunctionName = keyof typeof functions;
