/** What a translation has to say about fields of a Pod. */

/** A field that cannot be honoured, and why. */
export interface FieldProblem {
  /** `spec.containers[0].lifecycle.preStop` */
  readonly field: string;
  readonly why: string;
}

/** Collects problems while a Pod is walked. */
export class Findings {
  /** The Pod cannot run as it asks: it is refused. */
  readonly refused: FieldProblem[] = [];
  /** The Pod runs, but not quite as it asks. */
  readonly warned: FieldProblem[] = [];

  refuse(field: string, why: string): void {
    this.refused.push({ field, why });
  }

  warn(field: string, why: string): void {
    this.warned.push({ field, why });
  }
}

export const describeProblems = (problems: readonly FieldProblem[]): string =>
  problems.map(({ field, why }) => `${field}: ${why}`).join("; ");

/** Something the Pod refers to is not there, or does not fit: it can be any moment. In the kubelet's words. */
export class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}
