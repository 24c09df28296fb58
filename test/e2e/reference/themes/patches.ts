/** JSON patches, merge patches and strategic merge patches: what they do, and what is said of those that cannot be done. */
import {
  aConfigMap,
  aDeployment,
  configMaps,
  deployments,
  jsonPatch,
  mergePatch,
  post,
  type Step,
  strategicPatch,
  type Theme,
} from "../requests.ts";

const a = `${configMaps}/a`;
const shop = `${deployments}/shop`;
const annotated = post(configMaps, aConfigMap("a", { x: "1" }, { annotations: { "a/b": "2" } }));

const operations = (...patches: readonly object[][]): Step[] => patches.map((patch) => jsonPatch(a, patch));
const bothWays = (...patches: readonly string[]): Step[] => patches.flatMap((patch) => [mergePatch(a, patch), strategicPatch(a, patch)]);
const pod = (spec: object) => strategicPatch(shop, { spec: { template: { spec } } });

export const patches: Theme = {
  name: "patches",
  scenarios: {
    "a JSON patch tests, adds, moves and copies": [
      annotated,
      ...operations(
        [],
        [{ op: "test", path: "/data/x", value: "1" }],
        [{ op: "add", path: "/metadata/annotations/a~1b", value: "9" }],
        [{ op: "move", from: "/data/x", path: "/data/y" }],
        [{ op: "copy", from: "/data/y", path: "/data/x" }],
        [{ op: "test", path: "/data/nope", value: null }],
      ),
    ],
    "a JSON patch that cannot be done says why": [
      annotated,
      ...operations(
        [{ op: "test", path: "/data/x", value: "2" }],
        [{ op: "test", path: "/data/nope", value: "2" }],
        [{ op: "replace", path: "/metadata/annotations/c~0d", value: "9" }],
        [{ op: "replace", path: "/data/nope", value: "9" }],
        [{ op: "remove", path: "/data/nope" }],
        [{ op: "move", from: "/data/nope", path: "/data/y" }],
        [{ op: "copy", from: "/data/nope", path: "/data/x" }],
        [{ op: "bogus", path: "/data/x" }],
        [{ path: "/data/x" }],
        [{ op: "add", path: "data/x", value: "1" }],
        [{ op: "add", value: "1" }],
        [{ op: "add", path: "/data/q" }],
        [{ op: "add", path: "/bogus/x", value: "1" }],
        [{ op: "add", path: "/bogus", value: "1" }],
        [{ op: "replace", path: "", value: {} }],
        [{ op: "replace", path: "/", value: {} }],
        [{ op: "add", path: "/data/q", value: 5 }],
      ),
    ],
    "a JSON patch finds its place in a list": [
      annotated,
      ...operations(
        [{ op: "add", path: "/metadata/finalizers", value: ["a.b/c"] }],
        [{ op: "add", path: "/metadata/finalizers/-", value: "a.b/d" }],
        [{ op: "add", path: "/metadata/finalizers/5", value: "a.b/d" }],
        [{ op: "add", path: "/metadata/finalizers/0", value: "a.b/e" }],
        [{ op: "add", path: "/metadata/finalizers/-1", value: "a.b/f" }],
        [{ op: "remove", path: "/metadata/finalizers/-1" }],
        [{ op: "remove", path: "/metadata/finalizers/00" }],
        [{ op: "remove", path: "/metadata/finalizers/7" }],
        [{ op: "replace", path: "/metadata/finalizers/x", value: "a" }],
        [{ op: "remove", path: "/metadata/finalizers" }],
      ),
    ],
    "what identifies an object cannot be patched": [
      annotated,
      ...operations(
        [{ op: "replace", path: "/metadata/name", value: "z" }],
        [{ op: "replace", path: "/metadata/namespace", value: "z" }],
        [{ op: "replace", path: "/metadata/uid", value: "z" }],
        [{ op: "replace", path: "/metadata/resourceVersion", value: "1" }],
        [{ op: "remove", path: "/metadata/resourceVersion" }],
        [{ op: "remove", path: "/metadata" }],
        [{ op: "remove", path: "/metadata/uid" }],
        [{ op: "remove", path: "/metadata/name" }],
        [{ op: "remove", path: "/kind" }],
        [{ op: "remove", path: "/metadata/creationTimestamp" }],
        [{ op: "add", path: "/metadata/deletionTimestamp", value: "2020-01-01T00:00:00Z" }],
        [{ op: "add", path: "/metadata/generation", value: 5 }],
      ),
    ],
    "a patch is not too long, and has something to patch": [
      annotated,
      jsonPatch(a, JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/x", value: "1" })))),
      jsonPatch(`${configMaps}/nope`, []),
      mergePatch(`${configMaps}/nope`, {}),
      strategicPatch(`${configMaps}/nope`, {}),
    ],
    "merge patches set and remove": [
      annotated,
      ...bothWays(
        "{}",
        '{"data":null}',
        '{"metadata":{"labels":{"a":null,"b":"c"}}}',
        '{"metadata":{"labels":{"b":null}}}',
        '{"data":{"m":"1"},"data":{"n":"2"}}',
        '{"immutable":true}',
        '{"data":{"m":"2"}}',
        '{"immutable":false}',
        '{"metadata":{"labels":{"im":"ok"}}}',
      ),
    ],
    "merge patches are checked as any other write": [
      annotated,
      mergePatch(a, { data: { x: 1 } }),
      mergePatch(a, { metadata: { annotations: { k: 1 } } }),
      ...bothWays(
        '{"bogus":1}',
        '{"metadata":null}',
        '{"metadata":{"name":"z"}}',
        '{"metadata":{"labels":{"b c":"x"}}}',
        '{"metadata":{"resourceVersion":"5"}}',
        '{"metadata":{"resourceVersion":""}}',
        '{"metadata":{"uid":"5"}}',
        '{"metadata":{"uid":""}}',
      ),
    ],
    "fields that nobody knows": [
      annotated,
      mergePatch(`${a}?fieldValidation=Strict`, '{"bogus":1}'),
      mergePatch(`${a}?fieldValidation=Strict`, '{"metadata":{"labels":{"im":"ok","im":"ok2"}}}'),
      strategicPatch(`${a}?fieldValidation=Strict`, '{"metadata":{"bogus":"ok2"}}'),
      jsonPatch(`${a}?fieldValidation=Strict`, '[{"op":"add","path":"/metadata/bogus","value":"q"}]'),
      jsonPatch(`${a}?fieldValidation=Warn`, '[{"op":"add","path":"/metadata/bogus","value":"q","zz":1}]'),
    ],
    "a strategic merge patch merges lists by key": [
      post(
        deployments,
        aDeployment("shop", {
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "2" },
          ],
          args: ["1", "2"],
        }),
      ),
      pod({ containers: [{ name: "side", image: "y" }] }),
      pod({
        containers: [
          {
            name: "main",
            env: [
              { name: "A", $patch: "delete" },
              { name: "C", value: "3" },
            ],
            args: ["9"],
          },
        ],
      }),
      pod({ containers: [{ name: "side", $patch: "delete" }] }),
      pod({ containers: [{ $patch: "replace" }, { name: "only", image: "o" }] }),
      pod({ containers: [{ name: "only", ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] }] }),
      pod({ nodeSelector: { a: "b" }, imagePullSecrets: [{ name: "x" }, { name: "y" }] }),
      pod({ nodeSelector: null, imagePullSecrets: [{ name: "x", $patch: "delete" }] }),
    ],
    "a strategic merge patch keeps one of several alternatives": [
      post(deployments, aDeployment("shop")),
      pod({ volumes: [{ name: "v", emptyDir: {} }] }),
      pod({ volumes: [{ name: "v", configMap: { name: "x" } }] }),
      pod({ volumes: [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "x" } }] }),
      strategicPatch(shop, { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }),
    ],
    "a strategic merge patch orders lists": [
      post(deployments, aDeployment("shop")),
      pod({ "$setElementOrder/containers": [{ name: "z" }, { name: "main" }], containers: [{ name: "z", image: "z" }] }),
      pod({ "$setElementOrder/containers": [{ name: "main" }, { name: "z" }] }),
      strategicPatch(shop, { metadata: { finalizers: ["a.b/c", "a.b/d", "a.b/e"] } }),
      strategicPatch(shop, { metadata: { "$deleteFromPrimitiveList/finalizers": ["a.b/c"] } }),
      strategicPatch(shop, { metadata: { "$setElementOrder/finalizers": ["a.b/e", "a.b/d"], finalizers: ["a.b/e"] } }),
    ],
    "a strategic merge patch replaces and empties maps": [
      post(deployments, aDeployment("shop")),
      strategicPatch(shop, { metadata: { labels: { m: "n" } } }),
      strategicPatch(shop, { metadata: { labels: { $patch: "replace", q: "r" } } }),
      strategicPatch(shop, { metadata: { labels: { $patch: "delete" } } }),
      strategicPatch(shop, { metadata: { labels: { $patch: "merge", m: "n" } } }),
      strategicPatch(shop, { metadata: { ownerReferences: [{ uid: "1", name: "x", kind: "K", apiVersion: "v1" }] } }),
      strategicPatch(shop, { metadata: { ownerReferences: [{ uid: "1", $patch: "delete" }] } }),
    ],
    "a strategic merge patch of the wrong shape": [
      post(deployments, aDeployment("shop")),
      pod({ containers: null }),
      strategicPatch(shop, { bogus: 1 }),
      strategicPatch(shop, { $patch: "replace", metadata: { name: "shop" } }),
      strategicPatch(shop, { $patch: "delete" }),
    ],
  },
};
