/** The kubeconfig of a local control plane: a file of its own; nobody's `~/.kube/config` is touched. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../user-error.ts";
import { writeAtomically } from "./folder.ts";

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
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeAtomically(path, `${JSON.stringify(config, undefined, 2)}\n`, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`The kubeconfig ${path} cannot be written (${code}). Give another file with --kubeconfig.`, { cause: error });
  }
}
