/**
 * The custom resource that scenarios define for themselves: boats, each scenario's in a group of its own. A definition or an object should
 * have one thing wrong with it: Go looks at fields in any order.
 */
import { post, type Step, until } from "./requests.ts";

export const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** Every scenario has a group to itself, as it has a namespace. */
export const group = "{namespace}.example.com";
export const boats = `/apis/${group}/v1/namespaces/{namespace}/boats`;

export const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

/** @param version added to its only version */
export const definition = (schema: object | undefined, spec: object = {}, version: object = {}, metadata: object = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `boats.${group}`, ...metadata },
  spec: {
    group,
    scope: "Namespaced",
    names: { plural: "boats", kind: "Boat" },
    versions: [{ name: "v1", served: true, storage: true, ...(schema && { schema: { openAPIV3Schema: schema } }), ...version }],
    ...spec,
  },
});
export const boat = (name: string, spec?: unknown, metadata: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: "Boat",
  metadata: { name, ...metadata },
  ...(spec !== undefined && { spec }),
});

/** Definitions that are not kept. */
export const trying = (...arguments_: readonly Parameters<typeof definition>[]): Step[] =>
  arguments_.map((each) => post(`${definitions}?dryRun=All`, definition(...each)));
/** Definitions whose only field has this schema. */
export const fieldsOf = (...schemas: readonly object[]): Step[] => trying(...schemas.map((schema): [object] => [object({ a: schema })]));
/** Definitions whose only version has this, too. */
export const versionsOf = (...versions: readonly object[]): Step[] =>
  trying(...versions.map((version): [object, object, object] => [object({ spec: object({ y: { type: "string" } }) }), {}, version]));

/** Boats of this schema, as soon as they are served. */
export const served = (schema: object, version: object = {}): readonly Step[] => [
  post(definitions, definition(schema, {}, version)),
  until(boats, (list) => list.kind === "BoatList"),
];
