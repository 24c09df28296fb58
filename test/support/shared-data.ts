/** Published documents and manifests beside the repository: tests that need them say when they are not there. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../../shared");

/** A file or folder of Kubernetes' published documents, or undefined when there is none here. In CI it must be there. */
export const kubernetesData = (name: string): string | undefined => sharedData(join("kubernetes", name));

/** The same for the sample applications. */
export const manifestData = (name: string): string | undefined => sharedData(join("manifests", name));

function sharedData(name: string): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  if (process.env.CI) throw new Error(`${path} is missing: CI must have the data beside the repository`);
  console.warn(`skipped: ${path} is missing`);
  return undefined;
}
