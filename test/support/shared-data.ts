/** Published Kubernetes documents beside the repository: tests that compare with them say when they are not there. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../../shared/kubernetes");

/** A file or folder of the data, or undefined when there is none here. In CI it must be there. */
export function kubernetesData(name: string): string | undefined {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  if (process.env.CI) throw new Error(`${path} is missing: CI must have Kubernetes' published documents`);
  console.warn(`skipped: ${path} is missing`);
  return undefined;
}
