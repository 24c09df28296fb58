/**
 * How probes travel: from the Pod to whoever runs them beside the containers (the helper on AWS, the engine itself locally), and how
 * their verdicts come back.
 */

/** The container label of a task definition that carries {@link ContainerProbes} as JSON. */
export const probesLabel = "binnacle.dev/probes";

/** A probe with every default filled in and named ports resolved. Times in seconds. */
export interface ProbeSpec {
  readonly action:
    | { readonly type: "exec"; readonly command: readonly string[] }
    | {
        readonly type: "httpGet";
        readonly scheme: "HTTP" | "HTTPS";
        readonly host?: string;
        readonly port: number;
        readonly path: string;
        readonly headers: readonly (readonly [string, string])[];
      }
    | { readonly type: "tcpSocket"; readonly host?: string; readonly port: number }
    | { readonly type: "grpc"; readonly port: number; readonly service: string };
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export interface ContainerProbes {
  readonly startup?: ProbeSpec;
  readonly readiness?: ProbeSpec;
  readonly liveness?: ProbeSpec;
}

/** What the prober says of one task; sent whenever something in it changes. */
export interface ProbeReport {
  readonly taskArn: string;
  readonly clusterArn: string;
  /** Grows with each report of this task. */
  readonly version: number;
  readonly containers: readonly {
    readonly name: string;
    /** Its startup probe succeeded, or it has none and runs. */
    readonly started: boolean;
    readonly ready: boolean;
    /** Why a probe fails, without a prefix: `HTTP probe failed with statuscode: 500`. */
    readonly message?: string;
    /** The probe that fails. */
    readonly failing?: "Startup" | "Readiness" | "Liveness";
  }[];
}

/** EventBridge's `source` and `detail-type` of a report, as `ingest` receives it. */
export const probeReportSource = "binnacle.prober";
export const probeReportDetailType = "Binnacle Probe Report";
