/**
 * What every part of the server is made of. Each part that is loaded later imports all of it, though it needs less: so the bundler puts it
 * into one file, not into one for each set of parts that have something in common, and a cold start reads half as many (ADR 0015).
 */
import "../errors/status-error.ts";
import "./builtin-schemas.ts";
import "./codec.ts";
import "./durations.ts";
import "./json.ts";
import "./kind.ts";
import "./kinds.ts";
import "./memo.ts";
import "./names.ts";
import "./objects.ts";
import "./quantity.ts";
import "./selectors.ts";
import "./time.ts";
import "./validation/addresses.ts";
import "./validation/problems.ts";
