/** Leases: who leads, and who is alive. */
import { leases } from "../kinds.ts";
import { invalid } from "../validation/problems.ts";
import { nonNegative } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { text } from "./cells.ts";

export const leaseBehaviour = behaviour(leases, {
  defaults: (lease) => {
    lease.spec ??= {};
  },
  // Coordinated leader election is a feature that is off.
  prepareForCreate: ({ spec }) => {
    delete spec?.strategy;
    delete spec?.preferredHolder;
  },
  prepareForUpdate: ({ spec }, previous) => {
    if (previous.spec?.strategy === undefined) delete spec?.strategy;
    if (previous.spec?.preferredHolder === undefined) delete spec?.preferredHolder;
  },
  validate: ({ spec }) => {
    const seconds = spec?.leaseDurationSeconds;
    return [
      ...(seconds !== undefined && seconds <= 0 ? [invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")] : []),
      ...nonNegative(spec?.leaseTransitions, "spec.leaseTransitions"),
    ];
  },
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [text("Holder", ({ spec }) => spec?.holderIdentity)],
});
