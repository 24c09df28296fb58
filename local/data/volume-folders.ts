/** The folders of the local provisioner's volumes: those whose volume was deleted are removed with what is in them. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../shared/runtime/log.ts";

/** As the provisioner names its volumes; nothing else in the folder is touched. */
const ours = /^pvc-[0-9a-f-]{36}$/u;

/**
 * Call it from time to time; failures are logged, and tried again the next time.
 * @param volumes names of all volumes there are, from a read that begins when it is called: a volume is always older than its folder
 */
export async function removeAbandoned(folder: string, volumes: () => Promise<ReadonlySet<string>>, log: Log): Promise<void> {
  try {
    const found = (await readdir(folder).catch(() => [])).filter((name) => ours.test(name));
    if (found.length === 0) return;
    const known = await volumes();
    for (const name of found.filter((other) => !known.has(other))) {
      await rm(join(folder, name), { recursive: true, force: true });
      log.info("folder of a deleted volume removed", { volume: name });
    }
  } catch (error) {
    log.warn("folders of deleted volumes are still there", { folder, error });
  }
}
