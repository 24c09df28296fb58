/** Credentials for registries, from where `docker login` and `podman login` leave them. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

interface AuthFile {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  /** Programs by registry. */
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** What a program that keeps credentials answers. */
interface Kept {
  readonly Username: string;
  readonly Secret: string;
}

const dockerHub = "docker.io";
/** The names under which the files know Docker Hub. */
const hubKeys = ["https://index.docker.io/v1/", "index.docker.io", dockerHub];
const helperTimeoutMs = 10_000;

/** The registry that an image's name leads to. */
export function registryOf(image: string): string {
  const [first = "", ...others] = image.split("/");
  return others.length > 0 && (/[.:]/u.test(first) || first === "localhost") ? first : dockerHub;
}

/** Who may pull from a registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The value of `X-Registry-Auth` for credentials that are known. */
export const authOf = (registry: string, credentials: Credentials): string => encode({ ...credentials, serveraddress: registry });

/** The value of `X-Registry-Auth`: of nobody where there are no credentials. */
export async function registryAuth(image: string, files: readonly string[] = authFiles(process.env, homedir())): Promise<string> {
  const registry = registryOf(image);
  const keys = registry === dockerHub ? hubKeys : [registry, `https://${registry}`, `https://${registry}/v1/`, `https://${registry}/v2/`];
  for (const file of files) {
    const found = await credentials(await read(file), registry, keys);
    if (found) return encode({ ...found, serveraddress: registry === dockerHub ? hubKeys[0] : registry });
  }
  return encode({});
}

/** In the order in which they are read. */
export const authFiles = (env: Readonly<Record<string, string | undefined>>, home: string): readonly string[] => [
  ...(env.REGISTRY_AUTH_FILE ? [env.REGISTRY_AUTH_FILE] : []),
  ...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, "containers/auth.json")] : []),
  join(env.DOCKER_CONFIG || join(home, ".docker"), "config.json"),
];

/** Engines want the alphabet for addresses, and the padding. */
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");

async function read(file: string): Promise<AuthFile> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return {};
  }
}

async function credentials(file: AuthFile, registry: string, keys: readonly string[]): Promise<object | undefined> {
  const program = file.credHelpers?.[registry] ?? file.credsStore;
  for (const key of keys) {
    const kept = program === undefined ? undefined : await askHelper(program, key);
    // A helper says by this name that the secret is a token.
    if (kept) return kept.Username === "<token>" ? { identitytoken: kept.Secret } : { username: kept.Username, password: kept.Secret };
    const { auth, identitytoken } = file.auths?.[key] ?? {};
    if (identitytoken) return { identitytoken };
    const [, username, password] = /^([^:]*):(.*)$/su.exec(Buffer.from(auth ?? "", "base64").toString("utf8")) ?? [];
    if (username !== undefined) return { username, password };
  }
  return undefined;
}

const parse = (output: string): Kept | undefined => {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
};

const askHelper = (program: string, key: string): Promise<Kept | undefined> =>
  new Promise((resolve) => {
    const child = execFile(`docker-credential-${program}`, ["get"], { timeout: helperTimeoutMs }, (error, output) => {
      // It fails where it has none.
      resolve(error ? undefined : parse(output));
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(key);
  });
