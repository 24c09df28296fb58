/** Compiles an expression over the data of a schema: the one way in from outside of this folder. */
import { CompileError } from "./ast.ts";
import { check } from "./check.ts";
import { estimate } from "./estimate.ts";
import { makeProgram, type Program, ProgramError } from "./evaluate.ts";
import { parse } from "./parse.ts";
import type { Declared } from "./schema-types.ts";
import { type CelType, optionalOf } from "./types.ts";

export interface Compiled {
  readonly type: CelType;
  /** Takes `self` and `oldSelf`. */
  readonly program: Program;
  /** Whether the expression looks at the state before. */
  readonly usesOldSelf: boolean;
  /** The most that an evaluation may cost, from the sizes that the schema allows. */
  readonly worstCost: number;
}

export interface CompileOptions {
  readonly optionalOldSelf: boolean;
  readonly wanted?: CelType["kind"];
}

const names = ["self", "oldSelf"] as const;

/**
 * @param options.optionalOldSelf `oldSelf` is an optional value, and the expression is evaluated where there was nothing before
 * @param options.wanted what the expression has to make
 * @throws {CompileError} the message lists every mistake with its place
 */
export function compile(source: string, self: Declared, options: CompileOptions): Compiled {
  const oldSelf = options.optionalOldSelf ? optionalOf(self.type) : self.type;
  const checked = check(
    source,
    parse(source),
    new Map<string, CelType>([
      ["self", self.type],
      ["oldSelf", oldSelf],
    ]),
  );
  const { wanted } = options;
  if (wanted !== undefined && checked.type.kind !== wanted) throw new CompileError(`must evaluate to a ${wanted}`, { stage: "type" });
  try {
    return {
      type: checked.type,
      program: makeProgram(checked, names),
      usesOldSelf: checked.uses("oldSelf"),
      worstCost: estimate(checked, self),
    };
  } catch (error) {
    if (error instanceof ProgramError) throw new CompileError(error.message, { cause: error, stage: "program" });
    throw error;
  }
}
