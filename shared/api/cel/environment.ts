/** Every function and name that an expression in Kubernetes may use besides its variables. */
import type { Overload } from "./functions.ts";
import { kubernetes } from "./library/kubernetes.ts";
import { lists } from "./library/lists.ts";
import { network } from "./library/network.ts";
import { optionals } from "./library/optionals.ts";
import { standard } from "./library/standard.ts";
import { strings } from "./library/strings.ts";
import { time } from "./library/time.ts";
import { type CelType, listOf, mapOf, optionalOf, typeOf, types } from "./types.ts";

const byName = new Map<string, Overload[]>();
const byId = new Map<string, Overload>();
for (const { name, overload } of [...standard, ...optionals, ...time, ...strings, ...lists, ...network, ...kubernetes]) {
  byName.set(name, [...(byName.get(name) ?? []), overload]);
  byId.set(overload.id, overload);
}

/** In the order in which they are tried. */
export const overloadsOf = (name: string): readonly Overload[] | undefined => byName.get(name);
export const overload = (id: string): Overload | undefined => byId.get(id);

const named = (kind: "object" | "opaque", name: string): readonly [string, CelType] => [name, { kind, name }];

/** Names of types are values: `type(x) == int`. */
export const typeNames: ReadonlyMap<string, CelType> = new Map(
  (
    [
      ["bool", types.bool],
      ["bytes", types.bytes],
      ["double", types.double],
      ["duration", types.duration],
      ["timestamp", types.timestamp],
      ["int", types.int],
      ["list", listOf(types.dyn)],
      ["map", mapOf(types.dyn, types.dyn)],
      ["null_type", types.null],
      ["string", types.string],
      ["type", typeOf(types.dyn)],
      ["uint", types.uint],
      ["optional_type", optionalOf(types.dyn)],
      ["google.protobuf.Duration", types.duration],
      ["google.protobuf.Timestamp", types.timestamp],
      named("opaque", "net.IP"),
      named("opaque", "net.CIDR"),
      named("object", "kubernetes.Quantity"),
      named("object", "kubernetes.URL"),
      named("object", "kubernetes.Semver"),
      named("object", "kubernetes.NamedFormat"),
    ] as const
  ).map(([name, type]) => [name, typeOf(type)]),
);
