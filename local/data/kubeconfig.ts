/** The kubeconfig of a local control plane: a file of its own; nobody's `~/.kube/config` is touched. */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "../make-folders.ts";
import { UserError } from "../user-error.ts";
import { writeAtomically } from "./folder.ts";

/** Refuses a place that it cannot be written to, before anything is started. @throws {UserError} */
export function checkKubeconfig(path: string): void {
  complaining(path, () => {
    makeFolders(dirname(path));
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  });
}

/** @param ca PEM @throws {UserError} when the file cannot be written */
export function writeKubeconfig(
  path: string,
  { url, ca, token }: { readonly url: string; readonly ca: string; readonly token: string },
): void {
  const name = "binnacle";
  // JSON is YAML, and needs no escaping rules of its own.
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: url, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  complaining(path, () => {
    makeFolders(dirname(path));
    writeAtomically(path, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
  });
}

/** @throws {UserError} for what the file system says against it */
function complaining(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`The kubeconfig ${path} cannot be written (${code}). Give another file with --kubeconfig.`, { cause: error });
  }
}
