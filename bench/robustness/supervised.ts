/** A process of the run that may be killed and frozen at any time. Each life has a name of its own. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { monotonicMs } from "./journal.ts";
import type { FromWorker, ToWorker, WorkerOptions } from "./worker.ts";

/** From when to when a process did not run. */
export interface Sleep {
  readonly from: number;
  readonly to: number;
}

export class SupervisedProcess {
  readonly name: string;
  readonly #options: Omit<WorkerOptions, "name">;
  readonly #onTrouble: (trouble: string) => void;
  readonly sleeps: Sleep[] = [];
  #lives = 0;
  #child: ChildProcess | undefined;
  #frozenUntil = 0;

  /** @param onTrouble told when it ends by itself */
  constructor(name: string, options: Omit<WorkerOptions, "name">, onTrouble: (trouble: string) => void) {
    this.name = name;
    this.#options = options;
    this.#onTrouble = onTrouble;
  }

  start(): void {
    const { folder } = this.#options;
    const options: WorkerOptions = { ...this.#options, name: `${this.name}.${++this.#lives}` };
    const errors = openSync(join(folder, `${options.name}.stderr`), "a");
    const child = fork(join(import.meta.dirname, "worker.ts"), [JSON.stringify(options)], {
      stdio: ["ignore", errors, errors, "ipc"],
      // Processes start often: those that do so later find what the first ones compiled.
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") },
    });
    closeSync(errors);
    child.once("exit", (code, signal) => {
      if (child !== this.#child) return;
      this.#child = undefined;
      this.#onTrouble(`${options.name} ended by itself with ${signal ?? code}: see ${options.name}.stderr`);
    });
    this.#child = child;
    this.#frozenUntil = 0;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && !this.isFrozen;
  }

  get isFrozen(): boolean {
    return monotonicMs() < this.#frozenUntil;
  }

  /** Ends it without a chance to do anything more. */
  kill(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.kill("SIGKILL");
  }

  /** Stops it for a while. A shell wakes it, so that it wakes even when nobody is left to do that. */
  freeze(ms: number): void {
    const { pid } = this.#child ?? {};
    if (pid === undefined) return;
    process.kill(pid, "SIGSTOP");
    const from = monotonicMs();
    this.#frozenUntil = from + ms;
    this.sleeps.push({ from, to: this.#frozenUntil });
    const waker = spawn("/bin/sh", ["-c", 'sleep "$1"; kill -CONT "$2"', "waker", String(ms / 1_000), String(pid)], {
      stdio: "ignore",
      detached: true,
    });
    waker.unref();
  }

  tell(message: ToWorker): void {
    if (this.#child?.connected) this.#child.send(message, () => {});
  }

  /** Resolves when it has said so; false when it did not in time. */
  hears(type: FromWorker["type"], withinMs: number): Promise<boolean> {
    const child = this.#child;
    return new Promise((resolve) => {
      if (!child) return resolve(false);
      const timer = setTimeout(() => done(false), withinMs);
      const listen = (message: FromWorker) => message.type === type && done(true);
      const done = (heard: boolean) => {
        clearTimeout(timer);
        child.off("message", listen);
        resolve(heard);
      };
      child.on("message", listen);
    });
  }
}
