import { it } from "vitest";
import { checkInMemory } from "../model/world.ts";
import { buildStore } from "./build.ts";
import { mutants } from "./mutants.ts";
it.each(mutants)("$name", async ({ patches }) => {
  const build = await buildStore(patches);
  await checkInMemory({ numRuns: 25, seed: 1, endOnFailure: true } as any, build);
}, 30_000);
