/** The image of sandboxes: one program, made on this machine. */
import { createHash } from "node:crypto";
import { type EngineApi, isNotFound } from "./api.ts";
import type { Flavour } from "./flavour.ts";
import { sandboxProgram } from "./sandbox-program.ts";
import { tar } from "./tar.ts";

export const sandboxPath = "/sandbox";
/** Where a sandbox has its Pod's volumes: they are reached through it. */
export const volumesPath = "/volumes";

/** Makes the image if it is not there. @returns its name @throws {ApiError} or an Error that names the architecture */
export async function sandboxImage(api: EngineApi, flavour: Flavour): Promise<string> {
  const program = sandboxProgram(api.architecture);
  if (!program) throw new Error(`there is no sandbox program for ${api.architecture}, only for amd64 and arm64`);
  // The top-level domain is set aside for private use: no registry can be meant.
  const reference = `binnacle.internal/sandbox:${createHash("sha256").update(program).digest("hex").slice(0, 12)}`;
  try {
    await api.call("GET", `/images/${reference}/json`);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const layer = tar([
      { name: sandboxPath.slice(1), mode: 0o755, content: program },
      { name: `${volumesPath.slice(1)}/`, mode: 0o755 },
    ]);
    await flavour.importImage(reference, layer);
  }
  return reference;
}
