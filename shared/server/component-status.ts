/** ComponentStatus: the deprecated view on what a control plane consists of. Here: the server's own health checks. */
import type { AnyObject } from "../api/kind.ts";
import { notFound } from "../errors/status-error.ts";
import type { ListAnswer } from "../registry/registry.ts";
import type { HealthCheck } from "./health.ts";

async function status(component: HealthCheck): Promise<AnyObject> {
  const healthy = await component.check().then(
    () => true,
    () => false,
  );
  return {
    kind: "ComponentStatus",
    apiVersion: "v1",
    // Made on the spot: there is no uid, revision or time of creation to tell.
    metadata: { name: component.name } as AnyObject["metadata"],
    conditions: [
      healthy ? { type: "Healthy", status: "True", message: "ok" } : { type: "Healthy", status: "False", error: "reason withheld" },
    ],
  };
}

export const listComponents = async (checks: readonly HealthCheck[]): Promise<ListAnswer> => ({
  items: await Promise.all(checks.map(status)),
  resourceVersion: "",
});

/** @throws {StatusError} NotFound */
export async function getComponent(checks: readonly HealthCheck[], name: string): Promise<AnyObject> {
  const check = checks.find((one) => one.name === name);
  if (!check) throw notFound({ group: "", plural: "componentstatuses" }, name);
  return status(check);
}
