/** Events: one resource behind two APIs which name its fields differently. */

import { type Moment, since } from "../durations.ts";
import type { Event, EventsEvent, ObjectReference } from "../generated/types.ts";
import type { Column, Problem } from "../kind.ts";
import { events, newEvents } from "../kinds.ts";
import { dnsSubdomainProblems, qualifiedNameProblems } from "../names.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { invalid, invalidEach, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { name, text, wide } from "./cells.ts";

/** What both forms say, in one. */
interface Facts {
  readonly namespace: string;
  readonly about: ObjectReference;
  readonly eventTime: string | undefined;
  readonly action: string;
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly controller: string;
  readonly instance: string;
  readonly component: string;
  readonly host: string;
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly count: number;
  readonly series: { readonly count?: number | undefined; readonly lastObservedTime?: string | undefined } | undefined;
}

const oldFacts = (event: Event): Facts => ({
  namespace: event.metadata.namespace ?? "",
  about: event.involvedObject ?? {},
  eventTime: event.eventTime,
  action: event.action ?? "",
  reason: event.reason ?? "",
  message: event.message ?? "",
  type: event.type ?? "",
  controller: event.reportingComponent ?? "",
  instance: event.reportingInstance ?? "",
  component: event.source?.component ?? "",
  host: event.source?.host ?? "",
  first: event.firstTimestamp,
  last: event.lastTimestamp,
  count: event.count ?? 0,
  series: event.series,
});

const newFacts = (event: EventsEvent): Facts => ({
  namespace: event.metadata.namespace ?? "",
  about: event.regarding ?? {},
  eventTime: event.eventTime,
  action: event.action ?? "",
  reason: event.reason ?? "",
  message: event.note ?? "",
  type: event.type ?? "",
  controller: event.reportingController ?? "",
  instance: event.reportingInstance ?? "",
  component: event.deprecatedSource?.component ?? "",
  host: event.deprecatedSource?.host ?? "",
  first: event.deprecatedFirstTimestamp,
  last: event.deprecatedLastTimestamp,
  count: event.deprecatedCount ?? 0,
  series: event.series,
});

const longestName = 128;
const longestMessage = 1024;

/** What holds for Events of either API. @param controllerField what the API in use calls the reporting controller */
function validateFacts(event: Facts, controllerField: string): Problem[] {
  const field = "involvedObject.namespace";
  const about = event.about.namespace ?? "";
  const mismatch = [invalid(field, about, "does not match event.namespace")];
  const problems: Problem[] = [];
  if (!event.eventTime) {
    const fits = about === "" ? event.namespace === "" || event.namespace === "default" : about === event.namespace;
    if (!fits) problems.push(...mismatch);
  } else {
    if (about === "" && event.namespace !== "default" && event.namespace !== "kube-system") problems.push(...mismatch);
    if (!event.controller) problems.push(required(controllerField));
    problems.push(...invalidEach(controllerField, event.controller, qualifiedNameProblems(event.controller)));
    for (const [name, value, needed, longest] of [
      ["reportingInstance", event.instance, true, longestName],
      ["action", event.action, true, longestName],
      ["reason", event.reason, true, longestName],
      ["message", event.message, false, longestMessage],
    ] as const) {
      if (needed && !value) problems.push(required(name));
      if (Buffer.byteLength(value) > longest) problems.push(invalid(name, "", `can have at most ${longest} characters`));
    }
  }
  return [...problems, ...invalidEach("namespace", event.namespace, dnsSubdomainProblems(event.namespace))];
}

function validateSeries({ series }: Facts): Problem[] {
  if (!series) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid("series.count", "", "should be at least 2")] : []),
    ...(series.lastObservedTime ? [] : [required("series.lastObservedTime")]),
  ];
}

const unset = (field: string, isSet: boolean) => (isSet ? [invalid(field, "", "needs to be unset")] : []);

function validateNewEvent(event: EventsEvent): Problem[] {
  const facts = newFacts(event);
  return [
    ...validateSeries(facts),
    ...(facts.eventTime ? [] : [required("eventTime")]),
    ...(facts.type === "Normal" || facts.type === "Warning" ? [] : [invalid("type", "", `has invalid value: ${facts.type}`)]),
    ...unset("firstTimestamp", facts.first !== undefined),
    ...unset("lastTimestamp", facts.last !== undefined),
    ...unset("count", facts.count !== 0),
    ...unset("source", facts.component !== "" || facts.host !== ""),
  ];
}

/** Fields of the newer form, and what problems call them. */
const settledFields: readonly (readonly [keyof EventsEvent, string])[] = [
  ["regarding", "involvedObject"],
  ["reason", "reason"],
  ["note", "message"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
  ["type", "type"],
  ["eventTime", "eventTime"],
  ["action", "action"],
  ["related", "related"],
  ["reportingController", "reportingController"],
  ["reportingInstance", "reportingInstance"],
];

const firstSeen = (event: Facts, now: Moment): string => since(event.first ?? event.eventTime, now);

function lastSeen(event: Facts, now: Moment): string {
  if (event.series) return since(event.series.lastObservedTime, now);
  return event.last ? since(event.last, now) : firstSeen(event, now);
}

const sourceCell = (event: Facts): string =>
  [event.component || event.controller, event.host || event.instance].filter((part, index) => index === 0 || part).join(", ");

const objectCell = ({ about }: Facts): string =>
  [(about.kind ?? "").toLowerCase(), about.name].filter((part, index) => index === 0 || part).join("/");

/** A series counts for itself, and an event that says nothing happened once. */
const countCell = ({ series, count }: Facts): number => (series ? (series.count ?? 0) : count || 1);

function eventColumns<T extends Event | EventsEvent>(of: (event: T) => Facts): readonly Column<T>[] {
  return [
    text("Last Seen", (event, now) => lastSeen(of(event), now)),
    text("Type", (event) => of(event).type),
    text("Reason", (event) => of(event).reason),
    text("Object", (event) => objectCell(of(event))),
    wide(text("Subobject", (event) => of(event).about.fieldPath)),
    wide(text("Source", (event) => sourceCell(of(event)))),
    text("Message", (event) => of(event).message.trim()),
    wide(text("First Seen", (event, now) => firstSeen(of(event), now))),
    wide({ name: "Count", type: "string", value: (event) => countCell(of(event)) }),
    wide(name()),
  ];
}

const aboutFields = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;

const aboutSelectors = <T>(prefix: string, of: (event: T) => Facts): Record<string, (event: T) => string> =>
  Object.fromEntries(aboutFields.map((field) => [`${prefix}.${field}`, (event: T) => of(event).about[field] ?? ""]));

export const eventBehaviour = behaviour(events, {
  nameRule: "pathSegment",
  defaults: (event) => {
    event.source ??= {};
    event.reportingComponent ??= "";
    event.reportingInstance ??= "";
  },
  validate: (event) => validateFacts(oldFacts(event), "reportingComponent"),
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  selectableFields: {
    ...aboutSelectors("involvedObject", oldFacts),
    reason: (event) => oldFacts(event).reason,
    reportingComponent: (event) => oldFacts(event).controller,
    source: (event) => oldFacts(event).component || oldFacts(event).controller,
    type: (event) => oldFacts(event).type,
  },
  ownName: true,
  ownAge: true,
  columns: eventColumns(oldFacts),
});

export const newEventBehaviour = behaviour(newEvents, {
  defaults: (event) => {
    event.deprecatedSource ??= {};
  },
  validate: (event) => validateFacts(newFacts(event), "reportingController"),
  validateCreate: validateNewEvent,
  validateUpdate: (next, previous) => [
    ...(semanticallyEqual(next.series, previous.series) ? [] : validateSeries(newFacts(next))),
    ...settledFields.flatMap(([field, shown]) => validateImmutable(next[field], previous[field], shown)),
  ],
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  selectableFields: {
    ...aboutSelectors("regarding", newFacts),
    reason: (event) => newFacts(event).reason,
    reportingController: (event) => newFacts(event).controller,
    type: (event) => newFacts(event).type,
  },
  ownName: true,
  ownAge: true,
  columns: eventColumns(newFacts),
});
