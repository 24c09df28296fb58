/**
 * Tasks as far as they are known: from events, which may be late, lost or out of order, and from DescribeTasks, which is the truth. Memory
 * of one process; losing it costs a few calls.
 */
import type { ProbeReport } from "./probes.ts";
import { taskId } from "./record.ts";
import type { Task, TaskEngine } from "./task-engine.ts";

/** DescribeTasks takes so many ids. */
const maxDescribed = 100;
const remembered = 50_000;

interface Known {
  readonly task: Task;
  /** When this was news, in milliseconds. */
  readonly at: number;
  /** {@link TaskObserver.distrust}s before it. */
  readonly era: number;
}

export class TaskObserver {
  readonly #engine: Pick<TaskEngine, "describeTasks">;
  readonly #cluster: string;
  readonly #now: () => number;
  readonly #tasks = new Map<string, Known>();
  readonly #reports = new Map<string, ProbeReport>();
  #era = 0;
  #waiting: { readonly arn: string; readonly resolve: (task: Task | undefined) => void; readonly reject: (error: unknown) => void }[] = [];

  constructor(engine: Pick<TaskEngine, "describeTasks">, cluster: string, now: () => number) {
    this.#engine = engine;
    this.#cluster = cluster;
    this.#now = now;
  }

  /** From now on only what is learnt from now on counts: the next look at each task asks. */
  distrust(): void {
    this.#era++;
  }

  /** Takes in a state of a task. @returns the newest state known, which may be another one */
  see(task: Task, source: "event" | "answer"): Task {
    const id = taskId(task.taskArn);
    const known = this.#tasks.get(id);
    // What is equally new is better from an answer: events carry no health.
    const news = !known || known.task.version < task.version || (known.task.version === task.version && source === "answer");
    if (!news) return known.task;
    this.#tasks.delete(id);
    this.#tasks.set(id, { task, at: this.#now(), era: this.#era });
    this.#shrink();
    return task;
  }

  /** What is known without asking. */
  peek(taskArn: string): Task | undefined {
    return this.#tasks.get(taskId(taskArn))?.task;
  }

  seeReport(report: ProbeReport): ProbeReport {
    const id = taskId(report.taskArn);
    const known = this.#reports.get(id);
    if (known && known.version > report.version) return known;
    this.#reports.set(id, report);
    return report;
  }

  report(taskArn: string): ProbeReport | undefined {
    return this.#reports.get(taskId(taskArn));
  }

  forget(taskArn: string): void {
    this.#tasks.delete(taskId(taskArn));
    this.#reports.delete(taskId(taskArn));
  }

  /** The task as it is: from memory when that is fresh enough. Undefined when Amazon ECS does not know it. */
  async look(taskArn: string, options: { readonly maxAgeMs: number }): Promise<Task | undefined> {
    const known = this.#tasks.get(taskId(taskArn));
    const fresh = known && known.era === this.#era && known.at >= this.#now() - options.maxAgeMs;
    if (known && (fresh || known.task.lastStatus === "STOPPED")) return known.task;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ arn: taskArn, resolve, reject });
      // Whoever asks in the same moment shares the call.
      if (this.#waiting.length === 1) setImmediate(() => void this.#describeWaiting());
    });
  }

  async #describeWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const arns = [...new Set(waiting.map(({ arn }) => arn))];
    const batches = Array.from({ length: Math.ceil(arns.length / maxDescribed) }, (_, index) =>
      arns.slice(index * maxDescribed, (index + 1) * maxDescribed),
    );
    await Promise.all(
      batches.map(async (tasks) => {
        const concerned = waiting.filter(({ arn }) => tasks.includes(arn));
        try {
          const answer = await this.#engine.describeTasks({ cluster: this.#cluster, tasks });
          const found = new Map(answer.tasks.map((task) => [taskId(task.taskArn), this.see(task, "answer")]));
          for (const { arn, resolve } of concerned) resolve(found.get(taskId(arn)));
        } catch (error) {
          for (const { reject } of concerned) reject(error);
        }
      }),
    );
  }

  #shrink(): void {
    for (const id of this.#tasks.keys()) {
      if (this.#tasks.size <= remembered) return;
      this.#tasks.delete(id);
      this.#reports.delete(id);
    }
  }
}
