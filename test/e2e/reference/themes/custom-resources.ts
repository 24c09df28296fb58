/** Custom resources: definitions that are refused, and what a definition's schema, columns and subresources do to its objects. */
import { boat, boats, fieldsOf, group, object, served, trying, versionsOf } from "../boats.ts";
import { apply, asTable, forceApply, get, jsonPatch, mergePatch, post, put, remove, strategicPatch, type Theme } from "../requests.ts";

const spec = object(
  {
    name: { type: "string", default: "Argo", maxLength: 5 },
    note: { type: "string", nullable: true },
    crew: { type: "integer", minimum: 1, maximum: 10 },
    length: { type: "number" },
    port: { "x-kubernetes-int-or-string": true },
    cargo: { "x-kubernetes-preserve-unknown-fields": true },
    sails: {
      type: "array",
      maxItems: 3,
      items: object({ mast: { type: "string", default: "main" }, colour: { type: "string" } }, { required: ["mast"] }),
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["mast"],
    },
    flags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
    marks: { type: "object", additionalProperties: { type: "integer" } },
    rig: { type: "string", enum: ["A", "B"] },
    built: { type: "string", format: "date-time" },
    replicas: { type: "integer" },
  },
  {
    "x-kubernetes-validations": [
      { rule: "!has(self.crew) || self.crew != 7", message: "no seven", reason: "FieldValueForbidden", fieldPath: ".crew" },
      { rule: "!has(self.name) || self.name != 'bad'", messageExpression: "'name is ' + self.name" },
      { rule: "!has(oldSelf.rig) || has(self.rig)", message: "a rig stays" },
    ],
  },
);
const schema = object({ spec, status: object({ replicas: { type: "integer" }, selector: { type: "string" }, phase: { type: "string" } }) });
const withSubresources = {
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.selector" },
  },
  additionalPrinterColumns: [
    { name: "Name", type: "string", jsonPath: ".spec.name" },
    { name: "Crew", type: "integer", jsonPath: ".spec.crew", priority: 1, description: "heads" },
    { name: "Colours", type: "string", jsonPath: ".spec.sails[*].colour" },
    { name: "Length", type: "number", jsonPath: ".spec.length" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [{ jsonPath: ".spec.name" }, { jsonPath: ".spec.crew" }],
};
const fleet = served(schema, withSubresources);

export const customResources: Theme = {
  name: "custom resources",
  concurrent: true,
  scenarios: {
    "definitions need a structural schema": [
      ...trying([undefined], [{}], [{ type: "string" }]),
      ...fieldsOf(
        {},
        { type: "bogus" },
        { type: "array" },
        { type: "array", items: {} },
        { type: "object", properties: { b: { type: "string" } }, additionalProperties: { type: "string" } },
        { "x-kubernetes-int-or-string": true, type: "string" },
        { "x-kubernetes-preserve-unknown-fields": false, type: "object" },
        { "x-kubernetes-embedded-resource": true, type: "object" },
        { type: "string", enum: ["a", "a"] },
        { type: "string", pattern: "(" },
        { allOf: [{ type: "string" }], type: "string" },
        { type: "array", uniqueItems: true, items: { type: "string" } },
      ),
    ],
    "definitions of lists and maps": [
      ...fieldsOf(
        { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "map" },
        { type: "array", items: object({ k: { type: "string" } }), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] },
        { type: "array", items: object({ k: { type: "string" } }), "x-kubernetes-list-type": "map" },
        { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
        { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "bogus" },
        { type: "string", "x-kubernetes-list-type": "set" },
        { type: "object", "x-kubernetes-map-type": "bogus" },
      ),
    ],
    "definitions with defaults": [
      ...fieldsOf(
        { type: "string", default: 5 },
        { type: "string", nullable: true, default: null },
        { type: "string", default: null },
        { type: "object", properties: { b: { type: "string" } }, default: { c: 1 } },
      ),
    ],
    "definitions with rules": [
      ...fieldsOf(
        { type: "string", "x-kubernetes-validations": [{ rule: "" }] },
        { type: "string", "x-kubernetes-validations": [{ rule: "self == 'a'", message: "x\ny" }] },
        { type: "string", "x-kubernetes-validations": [{ rule: "self == 'a'", reason: "Bogus" }] },
        { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf", optionalOldSelf: true }] },
        { type: "array", items: { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] } },
      ),
    ],
    "definitions whose names do not fit": [
      ...trying(
        [object({}), {}, {}, { name: "x" }],
        [object({}), { names: { plural: "Boats", kind: "Boat" } }],
        [object({}), { names: { plural: "boats", kind: "bad_x" } }],
        [object({}), { names: { plural: "boats", kind: "Boat", singular: "B" } }],
        [object({}), { names: { plural: "boats", kind: "Boat", shortNames: ["X_"] } }],
        [object({}), { names: { plural: "boats", kind: "Boat", listKind: "Boat" } }],
        [object({}), { scope: "Bogus" }],
        [object({}), { group: "x" }],
        [object({}), { versions: [] }],
        [object({}), { conversion: { strategy: "Bogus" } }],
        [object({}), { preserveUnknownFields: true }],
      ),
    ],
    "definitions with columns and subresources": [
      ...versionsOf(
        { additionalPrinterColumns: [{ name: "x", type: "bogus", jsonPath: ".a" }] },
        { additionalPrinterColumns: [{ name: "", type: "string", jsonPath: "" }] },
        { additionalPrinterColumns: [{ name: "x", type: "date", jsonPath: ".a[*].b[?(@.c=='d')]" }] },
        { subresources: { scale: {} } },
        { subresources: { scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } } },
        { selectableFields: [{ jsonPath: ".spec.x" }] },
        { selectableFields: [{ jsonPath: ".metadata.name" }] },
        { deprecationWarning: "x" },
        { deprecated: true, deprecationWarning: "" },
      ),
    ],
    "are served and discovered": [...fleet, get(`/apis/${group}`)],
    "are defaulted, pruned and stored": [
      ...fleet,
      post(boats, boat("a", {})),
      post(
        boats,
        boat("b", { name: null, note: null, crew: 5, length: 1, port: "x", cargo: { q: [1, null] }, sails: [{ colour: "red" }], zz: 1 }),
      ),
      post(`${boats}?fieldValidation=Strict`, boat("c", { zz: 1, sails: [{ mast: "x", q: 1 }] })),
      get(`${boats}/b`),
      get(boats),
    ],
    "are held to their schema": [
      ...fleet,
      post(boats, boat("a", { crew: 0 })),
      // One at a time: upstream tells of them in the order of a Go map.
      post(boats, boat("a", { sails: [{ mast: "1" }, { mast: "1" }] })),
      post(boats, boat("a", { flags: ["a", "a"] })),
      post(boats, boat("a", { crew: 7, name: "bad" })),
      post(boats, boat("a", { crew: "x" })),
      post(boats, boat("a", [])),
      post(boats, boat("A_")),
      post(boats, { ...boat("a"), kind: "Bar" }),
      post(boats, { ...boat("a"), apiVersion: "v1" }),
    ],
    "are held to rules on what changes": [
      ...fleet,
      post(boats, boat("a", { rig: "A", crew: 3 })),
      mergePatch(`${boats}/a`, { spec: { rig: null } }),
      put(`${boats}/a`, boat("a", {})),
      put(`${boats}/a`, (earlier) => ({ ...earlier[1], spec: { crew: 4 } })),
      mergePatch(`${boats}/a`, { spec: { crew: 7 } }),
    ],
    "have a status and a scale": [
      ...fleet,
      post(boats, boat("a", { crew: 5 })),
      mergePatch(`${boats}/a`, { spec: { crew: 6 }, status: { phase: "x" } }),
      mergePatch(`${boats}/a/status`, {
        spec: { crew: 9 },
        status: { phase: "x", selector: "a=b", replicas: 2 },
        metadata: { labels: { z: "y" } },
      }),
      get(`${boats}/a/status`),
      get(`${boats}/a/scale`),
      put(`${boats}/a/scale`, { metadata: { name: "a" }, spec: { replicas: 4 } }),
      mergePatch(`${boats}/a/scale`, { spec: { replicas: 3 } }),
      put(`${boats}/a/scale`, { metadata: { name: "a" }, spec: { replicas: -4 } }),
    ],
    "are applied": [
      ...fleet,
      apply(`${boats}/a`, "one", boat("a", { sails: [{ mast: "fore", colour: "red" }], flags: ["x"], marks: { x: 1 } })),
      apply(`${boats}/a`, "two", boat("a", { sails: [{ mast: "fore", colour: "blue" }], flags: ["y"] })),
      forceApply(`${boats}/a`, "two", boat("a", { sails: [{ mast: "fore", colour: "blue" }], flags: ["y"] })),
      apply(`${boats}/a`, "one", boat("a", {})),
    ],
    "are patched, but not strategically": [
      ...fleet,
      post(boats, boat("a", { crew: 5 })),
      strategicPatch(`${boats}/a`, {}),
      jsonPatch(`${boats}/a`, [{ op: "replace", path: "/spec/crew", value: 6 }]),
      mergePatch(`${boats}/a`, { spec: { name: "Ajax" } }),
    ],
    "are listed": [
      ...fleet,
      post(boats, boat("a", { sails: [{ mast: "fore", colour: "red" }], length: 2.5 }, { labels: { z: "1" } })),
      post(boats, boat("b", { crew: 6 })),
      get(boats, asTable),
      get(`${boats}?fieldSelector=spec.name%3DArgo`),
      get(`${boats}?fieldSelector=spec.crew%3D6`),
      get(`${boats}?fieldSelector=spec.rig%3D6`),
      get(`${boats}?fieldSelector=metadata.name%3Da`),
      get(`${boats}?labelSelector=z`),
      get(`${boats}?limit=1`),
      remove(boats),
    ],
  },
};
