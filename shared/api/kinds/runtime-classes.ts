/** RuntimeClasses. */
import type { Toleration } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { runtimeClasses } from "../kinds.ts";
import { dnsLabelProblems } from "../names.ts";
import { validateLabels } from "../validation/labels.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { validateOverhead } from "../validation/pod/resources.ts";
import { validateTolerations } from "../validation/pod/scheduling.ts";
import { duplicate, invalidEach, required } from "../validation/problems.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { text } from "./cells.ts";
import { deprecatedNodeLabels } from "./pod-warnings.ts";

function validateUniqueTolerations(tolerations: readonly Toleration[] | undefined, path: string): Problem[] {
  const seen = new Set<string>();
  return (tolerations ?? []).flatMap((toleration, index) => {
    const { key, operator, value, effect } = toleration;
    const id = JSON.stringify([key, operator, value, effect]);
    const twin = seen.has(id);
    seen.add(id);
    return twin ? [duplicate(`${path}[${index}]`, toleration)] : [];
  });
}

export const runtimeClassBehaviour = behaviour(runtimeClasses, {
  validate: ({ handler, overhead, scheduling }) => [
    ...(handler ? invalidEach("handler", handler, dnsLabelProblems(handler)) : [required("handler")]),
    ...validateOverhead(overhead?.podFixed, "overhead"),
    ...validateLabels(scheduling?.nodeSelector, "scheduling.nodeSelector"),
    ...validateTolerations(scheduling?.tolerations, "scheduling.tolerations"),
    ...validateUniqueTolerations(scheduling?.tolerations, "scheduling.tolerations"),
  ],
  validateUpdate: (next, previous) => validateImmutable(next.handler, previous.handler, "handler"),
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) =>
      deprecatedNodeLabels[key] ? [`scheduling.nodeSelector: ${deprecatedNodeLabels[key]}`] : [],
    ),
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [text("Handler", ({ handler }) => handler)],
});
