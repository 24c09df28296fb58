/** ControllerRevisions: past states of StatefulSets and DaemonSets, never changed. */
import { controllerRevisions } from "../kinds.ts";
import { controllerOf } from "../objects.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { required } from "../validation/problems.ts";
import { nonNegative } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { text } from "./cells.ts";

const isObject = (value: unknown): boolean => typeof value === "object" && !Array.isArray(value);

export const controllerRevisionBehaviour = behaviour(controllerRevisions, {
  validate: ({ revision }) => nonNegative(revision, "revision"),
  validateCreate: ({ data }) => {
    if (data === undefined || data === null) return [required("data", "data is mandatory")];
    return isObject(data) ? [] : [required("data", "data must be a valid JSON object")];
  },
  validateUpdate: (next, previous) => validateImmutable(next.data, previous.data, "data"),
  generationFields: noGeneration,
  columns: [
    text("Controller", (revision) => {
      const owner = controllerOf(revision);
      if (!owner) return "<none>";
      const [group] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : [""];
      return `${owner.kind.toLowerCase()}${group ? `.${group}` : ""}/${owner.name}`;
    }),
    { name: "Revision", type: "string", value: ({ revision }) => revision ?? 0 },
  ],
});
