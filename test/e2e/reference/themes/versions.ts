/** Kinds that two APIs show in their own words: Events and autoscalers. */
import { asTable, get, mergePatch, namespaced, post, put, query, type Theme } from "../requests.ts";

const oldEvents = namespaced("events");
const newEvents = namespaced("events", "events.k8s.io/v1");
const oldScalers = namespaced("horizontalpodautoscalers", "autoscaling/v1");
const newScalers = namespaced("horizontalpodautoscalers", "autoscaling/v2");

const about = { kind: "Pod", namespace: "{namespace}", name: "p" };
const eventTime = "2020-01-01T00:00:00.123456Z";
const complete = { eventTime, reportingController: "a.b/x", reportingInstance: "i", action: "a", reason: "r", type: "Normal" };
const oldEvent = (name: string, fields: object = {}) => post(oldEvents, { metadata: { name }, involvedObject: about, ...fields });
const newEvent = (name: string, fields: object = {}) => post(newEvents, { metadata: { name }, regarding: about, ...fields });
const selected = (collection: string, fieldSelector: string) => get(`${collection}${query({ fieldSelector })}`);

const scaleTargetRef = { kind: "Deployment", name: "x", apiVersion: "apps/v1" };
const scaler = (name: string, spec: object) => ({ metadata: { name }, spec: { maxReplicas: 5, scaleTargetRef, ...spec } });
const cpu = (target: object) => ({ type: "Resource", resource: { name: "cpu", target } });
const metrics = [
  cpu({ type: "Utilization", averageUtilization: 50 }),
  { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
  { type: "ContainerResource", containerResource: { name: "cpu", container: "c", target: { type: "Utilization", averageUtilization: 5 } } },
  {
    type: "Pods",
    pods: { metric: { name: "m", selector: { matchLabels: { a: "b" } } }, target: { type: "AverageValue", averageValue: "100m" } },
  },
  {
    type: "Object",
    object: { metric: { name: "m" }, describedObject: { kind: "X", name: "y", apiVersion: "v1" }, target: { type: "Value", value: 5 } },
  },
  { type: "External", external: { metric: { name: "m" }, target: { type: "Value", value: 5 } } },
];
const behavior = { scaleDown: { stabilizationWindowSeconds: 10, policies: [{ type: "Pods", value: 1, periodSeconds: 60 }] } };
const status = {
  currentReplicas: 1,
  desiredReplicas: 2,
  currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 5, averageValue: "1m" } } }],
  conditions: [{ type: "AbleToScale", status: "True", reason: "r", message: "m", lastTransitionTime: "2020-01-01T00:00:00Z" }],
};

export const versions: Theme = {
  name: "versions",
  scenarios: {
    "an Event of the core API": [
      oldEvent("a"),
      oldEvent("A b"),
      oldEvent("a/b"),
      oldEvent("b", { involvedObject: {} }),
      oldEvent("c", { involvedObject: { ...about, namespace: "other" } }),
      oldEvent("d", {
        type: "Bogus",
        reason: "r",
        message: "m",
        count: 3,
        firstTimestamp: "2020-01-01T00:00:00Z",
        lastTimestamp: "2020-01-01T00:00:01Z",
        source: { component: "c", host: "h" },
      }),
      oldEvent("e", { eventTime }),
      get(`${newEvents}/a`),
      get(`${newEvents}/d`),
      get(`${newEvents}/d`, asTable),
      get(`${oldEvents}/d`, asTable),
      mergePatch(`${oldEvents}/d`, { count: 4, reason: "x" }),
      mergePatch(`${newEvents}/d`, { note: "x" }),
    ],
    "an Event of the newer API": [
      newEvent("a"),
      newEvent("b", { eventTime }),
      newEvent("c", { ...complete, type: "Bogus" }),
      newEvent("d", { ...complete, note: "n", series: { count: 2, lastObservedTime: eventTime }, related: { kind: "X" } }),
      newEvent("e", { ...complete, note: "n".repeat(1025), action: "a".repeat(129), series: { count: 1 }, deprecatedCount: 3 }),
      newEvent("f", { ...complete, deprecatedSource: { component: "x" }, deprecatedFirstTimestamp: "2020-01-01T00:00:00Z" }),
      newEvent("A b", complete),
      get(`${oldEvents}/d`),
      mergePatch(`${newEvents}/d`, { note: "changed" }),
      mergePatch(`${newEvents}/d`, { series: { count: 5, lastObservedTime: eventTime } }),
      mergePatch(`${newEvents}/d`, { reason: "z", regarding: { name: "q" }, eventTime: "2021-01-01T00:00:00.000000Z" }),
    ],
    "Events are selected": [
      oldEvent("a", { reason: "r", type: "Normal", source: { component: "c" } }),
      newEvent("b", complete),
      ...["involvedObject.name=p", "reason=r", "type=Normal", "source=c", "reportingComponent=a.b/x", "regarding.name=p"].flatMap(
        (selector) => [selected(oldEvents, selector), selected(newEvents, selector)],
      ),
    ],
    "an autoscaler of the newer API": [
      post(newScalers, scaler("a", { minReplicas: 2, metrics, behavior })),
      mergePatch(`${newScalers}/a/status`, { status }),
      get(`${newScalers}/a`, asTable),
      get(`${oldScalers}/a`),
      put(`${oldScalers}/a`, (earlier) => ({
        metadata: { name: "a", annotations: earlier[3].metadata.annotations },
        spec: { ...earlier[3].spec, maxReplicas: 9 },
      })),
      get(`${newScalers}/a`),
      mergePatch(`${newScalers}/a/status`, { status: { currentReplicas: -1, desiredReplicas: -2 } }),
    ],
    "an autoscaler of the older API": [
      post(oldScalers, scaler("a", {})),
      mergePatch(`${newScalers}/a/status`, { status }),
      get(`${newScalers}/a`),
      post(oldScalers, { metadata: { name: "b" }, spec: {} }),
    ],
    "an autoscaler that cannot be": [
      post(newScalers, scaler("a", { minReplicas: 5, maxReplicas: 3, scaleTargetRef: { kind: "a/b", name: "" } })),
      post(newScalers, scaler("b", { minReplicas: 0 })),
      post(
        newScalers,
        scaler("c", {
          metrics: [
            cpu({ type: "Utilization" }),
            cpu({ type: "Bogus", averageUtilization: -1, averageValue: "-1" }),
            { type: "Pods", pods: { metric: { name: "a/b" }, target: {} } },
            { type: "Object", object: { metric: {}, describedObject: {}, target: {} } },
            { type: "Resource", pods: {} },
          ],
          behavior: {
            scaleUp: { selectPolicy: "X", stabilizationWindowSeconds: -1, policies: [{ type: "X", value: 0, periodSeconds: 5000 }] },
          },
        }),
      ),
    ],
  },
};
