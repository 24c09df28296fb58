/** The secrets of a data folder: its certificate authority, the server's certificate, and the administrator's token. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { belongTogether, isGoodFor, type KeyPair, makeAuthority, makeServerCertificate } from "../tls/certificates.ts";
import { type DataFolder, damaged, writeAtomically } from "./folder.ts";

export interface Credentials {
  /** PEM. */
  readonly authority: string;
  readonly server: KeyPair;
  readonly adminToken: string;
  readonly adminTokenSha256: string;
}

/** The server's certificate is made anew when it has fewer days left than this. */
const renewBeforeDays = 30;

const secret = 0o600;

/** What an `Authorization` header can carry. */
const tokenForm = /^[\w.~+/=-]+$/u;

/**
 * @param hosts DNS names and addresses that the server is reached by
 * @throws {UserError} when the authority is damaged. The rest is made anew then: nobody relies on it beyond this start.
 */
export async function credentials(folder: DataFolder, hosts: readonly string[], now: Date): Promise<Credentials> {
  const authority = await keyPair(
    folder,
    "ca",
    () => makeAuthority("Binnacle local CA", now),
    (pair) => {
      // Clients elsewhere trust it, so it is not replaced without asking.
      if (!belongTogether(pair)) throw damaged(`${folder.file("ca.crt")} or its key`);
      return true;
    },
  );
  const server = await keyPair(
    folder,
    "server",
    () => makeServerCertificate(authority, hosts, now),
    (pair) => belongTogether(pair) && isGoodFor(pair.cert, authority.cert, hosts, now, renewBeforeDays),
  );
  const tokenFile = folder.file("admin-token");
  const kept = existsSync(tokenFile) ? readFileSync(tokenFile, "utf8").trim() : "";
  const adminToken = tokenForm.test(kept) ? kept : randomBytes(32).toString("base64url");
  if (adminToken !== kept) writeAtomically(tokenFile, adminToken, secret);
  return { authority: authority.cert, server, adminToken, adminTokenSha256: createHash("sha256").update(adminToken).digest("hex") };
}

/** Reads a pair, or makes one. The certificate is written last: a pair without it is not there. */
async function keyPair(
  folder: DataFolder,
  name: "ca" | "server",
  make: () => Promise<KeyPair>,
  isGood: (pair: KeyPair) => boolean,
): Promise<KeyPair> {
  const [certFile, keyFile] = [folder.file(`${name}.crt`), folder.file(`${name}.key`)];
  if (existsSync(certFile) && existsSync(keyFile)) {
    const pair = { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
    if (isGood(pair)) return pair;
  }
  const made = await make();
  writeAtomically(keyFile, made.key, secret);
  writeAtomically(certFile, made.cert, 0o644);
  return made;
}
