/** Columns and cells that many kinds share. */
import { type Moment, since } from "../durations.ts";
import type { Container, LabelSelector } from "../generated/types.ts";
import type { Column } from "../kind.ts";
import type { KubeObject } from "../objects.ts";

type Labels = Readonly<Record<string, string>>;

/** Shown with `-o wide` only. */
export const wide = <T>(column: Column<T>): Column<T> => ({ ...column, priority: 1 });

export const text = <T>(name: string, value: (object: T, now: Moment) => string | undefined): Column<T> => ({
  name,
  type: "string",
  value: (object, now) => value(object, now) ?? "",
});

export const count = <T>(name: string, value: (object: T) => number | undefined): Column<T> => ({
  name,
  type: "integer",
  value: (object) => value(object) ?? 0,
});

/** A number in a column that is declared to hold text. */
export const countAsText = <T>(name: string, value: (object: T) => number | undefined): Column<T> => ({
  ...count(name, value),
  type: "string",
});

export const flag = <T>(name: string, value: (object: T) => boolean | undefined): Column<T> => ({
  name,
  type: "boolean",
  value: (object) => value(object) ?? false,
});

export const name = <T extends KubeObject>(value: (object: T) => string = (object) => object.metadata.name): Column<T> => ({
  name: "Name",
  type: "string",
  format: "name",
  value,
});

/** Age, for kinds that have columns after it. */
export const age: Column<any> = {
  name: "Age",
  type: "string",
  value: (object: KubeObject, now) => since(object.metadata.creationTimestamp, now),
};

/** When it was made: kinds that nothing else is printed of show this in place of their age. */
export const createdAt: Column<any> = {
  name: "Created At",
  type: "date",
  value: ({ metadata }: KubeObject) => metadata.creationTimestamp ?? "",
};

/** Names and images of containers, joined by commas, and the selector of the pods: the wide columns of workloads. */
export const containerColumns = <T>(containers: (object: T) => readonly Container[] | undefined): Column<T>[] => [
  wide(text("Containers", (object) => (containers(object) ?? []).map((container) => container.name).join(","))),
  wide(text("Images", (object) => (containers(object) ?? []).map((container) => container.image ?? "").join(","))),
];

export const selectorColumn = <T>(selector: (object: T) => string): Column<T> => wide(text("Selector", selector));

/** `a=1,b=2`; `<none>` when there are none. */
export function formatLabels(labels: Labels | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.toSorted().join(",");
}

const requirementText = { In: "in", NotIn: "notin" } as const;

/** A label selector in the form of `-l`: `app=web,tier in (a,b),!canary`; empty for one that matches everything. */
export function selectorText(selector: LabelSelector | undefined): string {
  const requirements = [
    ...Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...(selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
      if (operator === "Exists") return { key, text: key };
      if (operator === "DoesNotExist") return { key, text: `!${key}` };
      return { key, text: `${key} ${requirementText[operator as "In" | "NotIn"]} (${(values ?? []).toSorted().join(",")})` };
    }),
  ];
  return requirements
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((requirement) => requirement.text)
    .join(",");
}

/** As above; `<none>` for an empty selector and for none at all. */
export const formatSelector = (selector: LabelSelector | undefined): string => selectorText(selector) || "<none>";

/** `10.0.0.1,10.0.0.2,10.0.0.3 + 4 more...` */
export function listWithMore(items: readonly string[], max: number, separator = ","): string {
  const shown = items.slice(0, max).join(separator);
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}

export const printBoolean = (value: boolean | undefined): string => (value === undefined ? "<unset>" : value ? "True" : "False");
