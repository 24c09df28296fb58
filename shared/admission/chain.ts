/** The admission plugins of a registry, in order, and which of them a request concerns. */
import type { Kind } from "../api/kind.ts";
import type { AdmissionPlugin, AdmissionReader, AdmissionRequest, Operation } from "./plugin.ts";

/** Plugins that a kind of request concerns, with and without the ability to change it. */
export interface Concerned {
  readonly mutating: readonly AdmissionPlugin[];
  readonly validating: readonly AdmissionPlugin[];
}

const nobody: Concerned = { mutating: [], validating: [] };

export interface AdmissionChain {
  concerned(kind: Kind, operation: Operation, subresource: string): Concerned;
}

export function admissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const known = new WeakMap<Kind, Map<string, Concerned>>();
  const find = (kind: Kind, operation: Operation, subresource: string): Concerned => {
    const handling = plugins.filter((plugin) => plugin.handles(kind, operation, subresource));
    if (handling.length === 0) return nobody;
    return { mutating: handling.filter((plugin) => "admit" in plugin), validating: handling.filter((plugin) => "validate" in plugin) };
  };
  return {
    concerned: (kind, operation, subresource) => {
      let ofKind = known.get(kind);
      if (ofKind === undefined) known.set(kind, (ofKind = new Map()));
      const id = `${operation} ${subresource}`;
      let concerned = ofKind.get(id);
      if (concerned === undefined) ofKind.set(id, (concerned = find(kind, operation, subresource)));
      return concerned;
    },
  };
}

/** Runs the mutating plugins one after the other. Nothing to wait for where none is concerned. */
export async function admit({ mutating }: Concerned, request: AdmissionRequest, reader: AdmissionReader): Promise<void> {
  for (const plugin of mutating) await plugin.admit?.(request, reader);
}

export async function validate({ validating }: Concerned, request: AdmissionRequest, reader: AdmissionReader): Promise<void> {
  for (const plugin of validating) await plugin.validate?.(request, reader);
}
