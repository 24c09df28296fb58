/** A few numbers about this process, in Prometheus' text format. */

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
}

/** Upper bounds of the latency histogram, in seconds. */
const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

export interface RequestFacts {
  readonly verb: string;
  /** `deployments.apps`, empty for paths that are no resource. */
  readonly resource: string;
  readonly code: number;
  readonly seconds: number;
}

export interface Metrics {
  request(facts: RequestFacts): void;
  watchOpened(): void;
  watchClosed(): void;
  text(): string;
}

/** Anybody can invent a method, and names that nobody checked would let a stranger fill this process' memory. */
const verbs: ReadonlySet<string> = new Set([
  "get",
  "list",
  "watch",
  "create",
  "update",
  "patch",
  "delete",
  "deletecollection",
  "post",
  "put",
  "head",
  "options",
]);

export interface MetricsOptions {
  /** Requests that are being worked on. */
  readonly inFlight: (kind: "read" | "write") => number;
}

export function createMetrics({ inFlight }: MetricsOptions): Metrics {
  const requests = new Map<string, Series>();
  const latencies = new Map<
    string,
    { readonly labels: Readonly<Record<string, string>>; readonly counts: number[]; sum: number; count: number }
  >();
  let watches = 0;

  return {
    request({ verb: given, resource, code, seconds }) {
      const verb = verbs.has(given) ? given : "other";
      const labels = { verb, resource, code: String(code) };
      const key = JSON.stringify(labels);
      const series = requests.get(key) ?? { labels, value: 0 };
      series.value++;
      requests.set(key, series);
      if (verb === "watch") return;
      const latency = latencies.get(verb) ?? { labels: { verb }, counts: buckets.map(() => 0), sum: 0, count: 0 };
      buckets.forEach((bound, index) => {
        if (seconds <= bound) latency.counts[index] = (latency.counts[index] ?? 0) + 1;
      });
      latency.sum += seconds;
      latency.count++;
      latencies.set(verb, latency);
    },
    watchOpened: () => void watches++,
    watchClosed: () => void watches--,
    text() {
      const lines = [
        "# HELP apiserver_request_total Requests by verb, resource and response code.",
        "# TYPE apiserver_request_total counter",
      ];
      for (const { labels, value } of requests.values()) lines.push(`apiserver_request_total${braces(labels)} ${value}`);
      lines.push(
        "# HELP apiserver_request_duration_seconds How long requests took, watches left out.",
        "# TYPE apiserver_request_duration_seconds histogram",
      );
      for (const { labels, counts, sum, count } of latencies.values()) {
        buckets.forEach((bound, index) => {
          lines.push(`apiserver_request_duration_seconds_bucket${braces({ ...labels, le: String(bound) })} ${counts[index]}`);
        });
        lines.push(
          `apiserver_request_duration_seconds_bucket${braces({ ...labels, le: "+Inf" })} ${count}`,
          `apiserver_request_duration_seconds_sum${braces(labels)} ${sum}`,
          `apiserver_request_duration_seconds_count${braces(labels)} ${count}`,
        );
      }
      lines.push(
        "# HELP apiserver_current_inflight_requests Requests that are being worked on, watches left out.",
        "# TYPE apiserver_current_inflight_requests gauge",
        `apiserver_current_inflight_requests{request_kind="mutating"} ${inFlight("write")}`,
        `apiserver_current_inflight_requests{request_kind="readOnly"} ${inFlight("read")}`,
        "# HELP apiserver_longrunning_requests Watches that are open now.",
        "# TYPE apiserver_longrunning_requests gauge",
        `apiserver_longrunning_requests{verb="watch"} ${watches}`,
        "# HELP process_resident_memory_bytes Resident memory.",
        "# TYPE process_resident_memory_bytes gauge",
        `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      );
      return `${lines.join("\n")}\n`;
    },
  };
}

const braces = (labels: Readonly<Record<string, string>>): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`)
    .join(",")}}`;
