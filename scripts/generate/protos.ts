/** Reads `generated.proto` files: message → fields with number and type. A small grammar: that is all these files use. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface ProtoField {
  name: string;
  number: number;
  type: string;
  repeated: boolean;
  mapValue?: string;
}
/** Fields by full message name, for example `k8s.io.api.core.v1.Pod`. */
export type Messages = Map<string, ProtoField[]>;

export function readProtos(folders: readonly string[]): Messages {
  const messages: Messages = new Map();
  for (const folder of folders) {
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (file.endsWith("generated.proto")) readProto(readFileSync(join(folder, file), "utf8"), messages);
    }
  }
  return messages;
}

function readProto(text: string, messages: Messages): void {
  const source = text.replace(/\/\/[^\n]*/g, "");
  const pkg = /^package\s+([\w.]+);/m.exec(source)?.[1] ?? "";
  for (const [, message = "", body = ""] of source.matchAll(/message\s+(\w+)\s*\{([^}]*)\}/g)) {
    const fields: ProtoField[] = [];
    const full = (type: string) =>
      type.startsWith(".") ? type.slice(1) : type.includes(".") || /^[a-z]/.test(type) ? type : `${pkg}.${type}`;
    for (const [, label, map, type, name = "", number] of body.matchAll(
      /(?:(optional|repeated)\s+)?(?:map<\s*string\s*,\s*([\w.]+)\s*>|([\w.]+))\s+(\w+)\s*=\s*(\d+)/g,
    )) {
      fields.push({
        name,
        number: Number(number),
        type: map ? "map" : full(type ?? ""),
        repeated: label === "repeated",
        ...(map && { mapValue: full(map) }),
      });
    }
    messages.set(`${pkg}.${message}`, fields);
  }
}
