/** A kind that comes from a CustomResourceDefinition. */
import type { Kind } from "../../shared/api/kind.ts";

export const aCustomKind = (more: Partial<Kind> = {}): Kind => ({
  group: "stable.example.com",
  version: "v1",
  kind: "CronTab",
  listKind: "CronTabList",
  plural: "crontabs",
  singular: "crontab",
  namespaced: true,
  verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
  shortNames: ["ct"],
  categories: ["all"],
  subresources: [
    { name: "status", group: "stable.example.com", version: "v1", kind: "CronTab", verbs: ["get", "patch", "update"] },
    { name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"] },
  ],
  storage: "crontabs.stable.example.com",
  definition: "com.example.stable.v1.CronTab",
  schema: { type: "any" },
  custom: true,
  behaviour: {},
  ...more,
});
