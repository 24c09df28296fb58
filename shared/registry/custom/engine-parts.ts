/** What {@link ./engine.ts} loads. */
import "../../api/base.ts";

export { CompileError } from "../../api/cel/ast.ts";
export { compile } from "../../api/cel/compile.ts";
export { perCallLimit, perRequestBudget } from "../../api/cel/costs.ts";
export { declare, maxRequestBytes } from "../../api/cel/schema-types.ts";
export { valueOf } from "../../api/cel/schema-values.ts";
export { EvalError, none, Optional } from "../../api/cel/values.ts";
export { checkPattern, matchesPattern, PatternError } from "../../api/re2.ts";
