/** Lists: selectors, pages, versions, and options that are wrong. */
import { aConfigMap, asMetadataList, asTable, configMaps, get, post, query, type Step, type Theme, until } from "../requests.ts";

const three: readonly Step[] = [
  post(configMaps, aConfigMap("a", {}, { labels: { x: "1" } })),
  post(configMaps, aConfigMap("b", {}, { labels: { x: "2" } })),
  post(configMaps, aConfigMap("c")),
];
const listing = (...parameters: readonly Parameters<typeof query>[0][]): Step[] =>
  parameters.map((each) => get(`${configMaps}${query(each)}`));
const labels = (...selectors: readonly string[]): Step[] => listing(...selectors.map((labelSelector) => ({ labelSelector })));
const fields = (...selectors: readonly string[]): Step[] => listing(...selectors.map((fieldSelector) => ({ fieldSelector })));

export const lists: Theme = {
  name: "lists",
  scenarios: {
    "choose by labels": [
      ...three,
      ...labels(
        "x=1",
        "x==1",
        "x in (1,2)",
        "x notin (1)",
        "x notin(1)",
        "!x",
        "x,x!=1",
        "x>0",
        "x>1",
        "x<3",
        "x = 1 , x",
        "x=1,x=2",
        "x=",
        "x in (1,,2)",
      ),
    ],
    "refuse label selectors that are none": [
      ...labels(
        "=x",
        "x in (",
        "x=1,",
        ",x",
        "x y",
        "x in 1",
        "x>a",
        "x=a b",
        "-x=1",
        `x=${"a".repeat(64)}`,
        "a/b/c",
        "x===1",
        "!x=1",
        "()",
        "x!",
        "!",
        "x=1;y=2",
        "x=$",
        "x lt 3",
      ),
    ],
    "choose by fields": [
      ...three,
      ...fields(
        "metadata.name=a",
        "metadata.name!=a",
        "metadata.name==a",
        "metadata.namespace={namespace}",
        "metadata.name=",
        "metadata.name=a,metadata.name=b",
        "metadata.name=a\\,b",
        "metadata.name!=a,metadata.name!=b",
      ),
    ],
    "refuse field selectors that are none": [
      ...fields(
        "bogus=1",
        "metadata.labels.x=1",
        "metadata.name",
        "metadata.name in (a)",
        "=a",
        "a=b=c",
        "metadata.name=a\\x",
        "metadata.uid=x",
      ),
    ],
    "come in pages": [
      ...three,
      ...listing(
        { limit: 1 },
        { limit: 2 },
        { limit: 3 },
        { limit: 0 },
        { limit: 1, labelSelector: "x" },
        { limit: 1, fieldSelector: "metadata.name=a" },
      ),
      ...listing({ limit: "x" }, { limit: -1 }),
      ...listing({ continue: "x", resourceVersionMatch: "Exact" }),
    ],
    "are of a version": [
      ...three,
      // Upstream gives version 0 from a cache, which lags.
      until(`${configMaps}?resourceVersion=0`, ({ items }) => items.length === 3),
      ...listing(
        { resourceVersion: "0" },
        { resourceVersion: "x" },
        { resourceVersion: "-1" },
        { resourceVersion: "0", resourceVersionMatch: "Exact" },
        { resourceVersionMatch: "Exact" },
        { resourceVersion: "1", resourceVersionMatch: "Bogus" },
        { resourceVersion: "0", resourceVersionMatch: "NotOlderThan" },
      ),
    ],
    "have no use for a watch's options": [
      ...three,
      ...listing(
        { sendInitialEvents: "true" },
        { sendInitialEvents: "x" },
        { allowWatchBookmarks: "true" },
        { watch: "0" },
        { watch: "false" },
        { bogus: 1 },
      ),
      ...listing({ timeoutSeconds: "x" }, { timeout: "1x" }, { timeout: "0" }, { timeout: "-5s" }, { timeout: "10s" }),
    ],
    "are Tables where that is asked for": [
      ...three,
      get(configMaps, asTable),
      get(`${configMaps}/a`, asTable),
      ...["None", "Metadata", "Object", "Bogus"].map((includeObject) => get(`${configMaps}${query({ includeObject })}`, asTable)),
      get(configMaps, { accept: "application/json;as=Table;v=v1beta1;g=meta.k8s.io" }),
      get(configMaps, { accept: "application/json;as=Table;v=v2;g=meta.k8s.io" }),
      get(configMaps, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io, application/json;q=0.5" }),
      post(configMaps, aConfigMap("t"), asTable),
    ],
    "are metadata where that is asked for": [
      ...three,
      get(configMaps, asMetadataList),
      get(`${configMaps}/a`, { accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" }),
    ],
  },
};
