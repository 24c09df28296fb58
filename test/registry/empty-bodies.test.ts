/** In Go, structs are never absent: what a body leaves out is judged like what it leaves empty. */
import { describe, expect, it } from "vitest";
import { builtinKinds, loadBehaviours } from "../../shared/api/builtin-kinds.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { decode } from "../../shared/registry/decode.ts";

await loadBehaviours();

const bodies: readonly JsonObject[] = [{}, { spec: {} }, { spec: { template: {} } }];

describe("a body with hardly anything in it", () => {
  it.each(builtinKinds())("is decoded, defaulted and validated: $group/$version $plural", (kind) => {
    for (const body of bodies) {
      const { object } = decode(kind, { metadata: { name: "empty" }, ...body });
      expect(() => kind.behaviour.validate?.(object)).not.toThrow();
    }
  });

  it("of a Deployment has a spec with its defaults", () => {
    const deployments = builtinKinds().find(({ plural, version }) => plural === "deployments" && version === "v1");
    if (!deployments) throw new Error("no Deployments");
    expect(decode(deployments, { metadata: { name: "empty" } }).object.spec).toMatchObject({ replicas: 1 });
  });
});
