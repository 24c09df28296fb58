/** Classes, claims and slices of devices: what is refused of them, and what the server adds. */
import { clusterScoped, mergePatch, namespaced, post, put, type Theme } from "../requests.ts";

const version = "resource.k8s.io/v1";
const classes = clusterScoped("deviceclasses", version);
const slices = clusterScoped("resourceslices", version);
const claims = namespaced("resourceclaims", version);
const templates = namespaced("resourceclaimtemplates", version);

const driver = "gpu.example.com";
const exactly = { deviceClassName: "gpu" };
const aClaim = (name: string, devices: object = { requests: [{ name: "r", exactly }] }) => ({ metadata: { name }, spec: { devices } });
/** Named after the scenario's namespace: slices and classes have none. */
const aSlice = (spec: object) => ({
  metadata: { name: "{namespace}" },
  spec: { driver, allNodes: true, pool: { name: "p", generation: 1, resourceSliceCount: 1 }, ...spec },
});
const aResult = (fields: object = {}) => ({ request: "r", driver, pool: "p", device: "d", ...fields });
const conditions = [{ type: "Ready", status: "True", reason: "Fine", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }];
const allocated = (...results: object[]) => ({ status: { allocation: { devices: { results } } } });

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const entries = (count: number, value: object) => Object.fromEntries(many(count, (index) => [`k${index}`, value]));
const tooLong = "x".repeat(10 * 1024 + 1);

export const devices: Theme = {
  name: "devices",
  scenarios: {
    "a class selects and configures": [
      post(classes, {
        metadata: { name: "{namespace}" },
        spec: { selectors: [{}, { cel: { expression: "" } }], config: [{}, { opaque: { driver: "A_B" } }], extendedResourceName: "gpu" },
      }),
      post(classes, {
        metadata: { name: "{namespace}" },
        spec: {
          selectors: [{ cel: { expression: `device.driver == "${driver}"` } }],
          config: [{ opaque: { driver, parameters: {} } }],
          extendedResourceName: "example.com/gpu",
        },
      }),
      mergePatch(`${classes}/{namespace}`, { spec: { config: [{ opaque: { driver, parameters: [1] } }] } }),
      mergePatch(`${classes}/{namespace}`, { spec: { extendedResourceName: "example.com/tpu" } }),
    ],
    "a claim asks for what can be had": [
      post(
        claims,
        aClaim("c", {
          requests: [
            { name: "r" },
            { name: "r", exactly: { allocationMode: "All", count: 2 } },
            { name: "A", exactly, firstAvailable: [{}] },
          ],
          constraints: [{}, { requests: ["r", "x", "r"], matchAttribute: "plain" }],
          config: [{ requests: ["r/x"], opaque: { driver, parameters: "text" } }],
        }),
      ),
      post(
        claims,
        aClaim("c", {
          requests: [
            { name: "r", exactly: { ...exactly, tolerations: [{ key: "a" }, { operator: "Exists", effect: "None" }] } },
            {
              name: "s",
              firstAvailable: [
                { name: "a", ...exactly },
                { name: "b", ...exactly, allocationMode: "All" },
              ],
            },
          ],
          constraints: [{ requests: ["r", "s/a"], matchAttribute: `${driver}/model` }],
        }),
      ),
      mergePatch(`${claims}/c`, { metadata: { labels: { a: "b" } } }),
    ],
    "a template makes claims": [
      post(templates, { metadata: { name: "t" }, spec: { metadata: { name: "n", labels: { "a b": "c" } }, spec: aClaim("").spec } }),
      post(templates, { metadata: { name: "t" }, spec: { spec: { devices: { requests: [{ name: "r", exactly: {} }] } } } }),
      post(templates, { metadata: { name: "t" }, spec: { spec: aClaim("").spec } }),
    ],
    "access to the devices of others is for namespaces that allow it": [
      post(claims, aClaim("c", { requests: [{ name: "r", exactly: { adminAccess: true } }] })),
      post(templates, {
        metadata: { name: "t" },
        spec: { spec: { devices: { requests: [{ name: "r", exactly: { ...exactly, adminAccess: true } }] } } },
      }),
      post(claims, aClaim("plain")),
      mergePatch(`${claims}/plain/status`, allocated(aResult({ adminAccess: true, pool: "" }))),
    ],
    "a claim is allocated, used and given back": [
      post(claims, aClaim("c")),
      mergePatch(`${claims}/c/status`, allocated({}, aResult({ request: "x", shareID: "y", bindingConditions: ["a", "a"] }))),
      mergePatch(`${claims}/c/status`, { status: { reservedFor: [{ resource: "pods", name: "p", uid: "u" }, {}] } }),
      mergePatch(`${claims}/c/status`, { status: { ...allocated(aResult()).status, devices: [{ driver, pool: "p", device: "e" }] } }),
      mergePatch(`${claims}/c/status`, {
        status: {
          ...allocated(aResult({ tolerations: [{}] })).status,
          reservedFor: [{ resource: "pods", name: "p", uid: "u" }],
          devices: [{ driver, pool: "p", device: "d", conditions, data: {}, networkData: { ips: ["10.9.8.7/24"] } }],
        },
      }),
      mergePatch(`${claims}/c/status`, { status: { allocation: null, reservedFor: null } }),
    ],
    "lists, maps and texts have limits": [
      post(classes, {
        metadata: { name: "{namespace}" },
        spec: {
          selectors: [{ cel: { expression: tooLong } }],
          config: [{ opaque: { driver, parameters: { x: tooLong } } }],
        },
      }),
      post(classes, { metadata: { name: "{namespace}" }, spec: { selectors: many(33, () => ({})), config: many(33, () => ({})) } }),
      post(
        claims,
        aClaim("c", { requests: many(33, () => ({})), constraints: many(33, () => ({})), config: [{ requests: many(33, () => "r") }] }),
      ),
      post(claims, aClaim("c")),
      mergePatch(`${claims}/c/status`, {
        status: {
          ...allocated(...many(33, () => aResult())).status,
          reservedFor: many(257, () => ({})),
          devices: [
            {
              driver,
              pool: "p",
              device: "d",
              data: { x: tooLong },
              conditions: many(9, (index) => ({ ...conditions[0], type: `t${index}` })),
              networkData: { interfaceName: "x".repeat(257), hardwareAddress: "x".repeat(129), ips: many(17, () => "x") },
            },
          ],
        },
      }),
      post(slices, aSlice({ devices: many(129, () => ({})) })),
      post(slices, aSlice({ devices: many(65, (index) => ({ name: `d${index}`, taints: [{ key: "a", effect: "None" }] })) })),
      post(slices, aSlice({ pool: { name: "a".repeat(254), generation: 0, resourceSliceCount: 1 }, sharedCounters: many(9, () => ({})) })),
      post(slices, aSlice({ sharedCounters: [{ name: "s", counters: entries(33, { value: "1" }) }] })),
      post(
        slices,
        aSlice({
          devices: [
            { name: "d", attributes: entries(49, { int: 1 }), taints: many(17, () => ({})) },
            {
              name: "e",
              bindingConditions: many(5, () => "a"),
              consumesCounters: [{ counterSet: "s", counters: entries(33, { value: "1" }) }],
            },
          ],
        }),
      ),
    ],
    "a slice says what there is, and where": [
      post(slices, aSlice({ driver: "", pool: { name: "a//b" }, nodeName: "", allNodes: false })),
      post(slices, aSlice({ nodeName: "n", nodeSelector: {} })),
      post(
        slices,
        aSlice({
          devices: [
            // One each: upstream goes through maps in any order.
            { name: "a", attributes: { a: {} } },
            { name: "b", attributes: { b: { int: 1, bool: true } } },
            { name: "d", attributes: { "c/": { version: "1" } }, taints: [{}], nodeName: "n" },
            { name: "d", capacity: { a: { value: "1", requestPolicy: {} } }, consumesCounters: [{}], bindingConditions: ["x"] },
          ],
        }),
      ),
      post(
        slices,
        aSlice({
          devices: [
            {
              name: "d",
              allowMultipleAllocations: true,
              attributes: { model: { string: "m" }, new: { ints: [1], int: 1 } },
              capacity: { memory: { value: "1024Mi", requestPolicy: { default: "1Gi", validRange: { min: "2Gi", step: "1Gi" } } } },
            },
          ],
        }),
      ),
      post(slices, aSlice({ driver: "Gpu.example.com", devices: [{ name: "d", taints: [{ key: "a", effect: "NoSchedule" }] }] })),
      put(`${slices}/{namespace}`, aSlice({ pool: { name: "q", generation: 2, resourceSliceCount: 1 } })),
      mergePatch(`${slices}/{namespace}`, {
        spec: { pool: { generation: 2 }, devices: [{ name: "d", taints: [{ key: "b", effect: "None" }] }] },
      }),
    ],
  },
};
