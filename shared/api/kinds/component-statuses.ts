/** ComponentStatuses: made up when they are asked for, never stored. */
import type { ComponentStatus } from "../generated/types.ts";
import { componentStatuses } from "../kinds.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { text } from "./cells.ts";

const healthOf = ({ conditions }: ComponentStatus) => conditions?.find(({ type }) => type === "Healthy");

function statusCell(component: ComponentStatus): string {
  const health = healthOf(component);
  if (!health) return "Unknown";
  return health.status === "True" ? "Healthy" : "Unhealthy";
}

export const componentStatusBehaviour = behaviour(componentStatuses, {
  generationFields: noGeneration,
  ownAge: true,
  columns: [
    text("Status", statusCell),
    text("Message", (component) => healthOf(component)?.message),
    text("Error", (component) => healthOf(component)?.error),
  ],
});
