/**
 * Signing keys as items of the table: made when a cluster signs for the first time, replaced after a while. A replaced key's public
 * half stays, since tokens without an end may have been signed with it; its private half goes.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign } from "node:crypto";
import type { Clock } from "../../runtime/clock.ts";
import type { Item, Table } from "../../store/table.ts";
import type { SigningKeys, TokenSigner, VerificationKey } from "./signing-keys.ts";

const dayMs = 24 * 60 * 60_000;
/** A key is replaced when it has signed for so long. */
const replacedAfterMs = 90 * dayMs;
/** A new key is published for so long before it signs: who verifies tokens elsewhere asks for the keys once an hour. */
const publishedBeforeMs = 2 * 60 * 60_000;
/** What this process knows about the keys is looked up again after this long. */
const knownForMs = 5 * 60_000;
/** An unknown key id is looked for in the table, but not more often: anybody can invent one. */
const lookAgainMs = 5_000;

const algorithm = "ES256";

interface Key extends VerificationKey {
  /** When it begins to sign, in milliseconds since 1970. */
  readonly signsFrom: number;
  /** Undefined where a newer key has taken over. */
  readonly privateKey: KeyObject | undefined;
  readonly item: Item;
}

interface Known {
  readonly keys: readonly Key[];
  readonly at: number;
}

export function tableSigningKeys({ table, clock }: { readonly table: Table; readonly clock: Clock }): SigningKeys {
  const clusters = new Map<string, Promise<Known>>();

  const read = async (cluster: string): Promise<Known> => {
    const at = clock.now().getTime();
    const { items } = await table.query({ pk: partition(cluster), consistent: true });
    return { keys: items.map(keyIn).toSorted((one, other) => one.signsFrom - other.signsFrom), at };
  };

  const load = (cluster: string): Promise<Known> => {
    const loading = read(cluster);
    clusters.set(cluster, loading);
    loading.catch(() => clusters.get(cluster) === loading && clusters.delete(cluster));
    return loading;
  };

  const known = async (cluster: string, maxAgeMs = knownForMs): Promise<Known> => {
    const before = await clusters.get(cluster);
    return before && clock.now().getTime() - before.at < maxAgeMs ? before : load(cluster);
  };

  /** The key that signs now, and which is next; makes what is missing. */
  const ensureSigner = async (cluster: string): Promise<Key & { readonly privateKey: KeyObject }> => {
    const now = clock.now().getTime();
    const { keys } = await known(cluster);
    const newest = keys.at(-1);
    if (newest === undefined) await addKey(cluster, now);
    else if (now - newest.signsFrom > replacedAfterMs) await addKey(cluster, now + publishedBeforeMs, newest.id);
    else {
      await retire(cluster, keys, now);
      const signing = signingKey(keys, now);
      if (signing) return signing;
    }
    const signing = signingKey((await load(cluster)).keys, now);
    if (!signing) throw new Error("no key signs");
    return signing;
  };

  /** Two processes may want to at once: the item's name is that of the key before, so that one of them wins. */
  const addKey = async (cluster: string, signsFrom: number, after = "first"): Promise<void> => {
    const privateKey = await new Promise<KeyObject>((resolve, reject) => {
      generateKeyPair("ec", { namedCurve: "P-256" }, (error, _publicKey, key) => (error ? reject(error) : resolve(key)));
    });
    const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    await table.put({ pk: partition(cluster), sk: `after/${after}`, privateKey: pem, signsFrom }, { type: "absent" });
  };

  /** Forgets the private halves of keys before the one that signs. */
  const retire = async (cluster: string, keys: readonly Key[], now: number): Promise<void> => {
    const former = keys.filter(({ signsFrom }) => signsFrom <= now).slice(0, -1);
    const held = former.filter(({ privateKey }) => privateKey !== undefined);
    for (const { key, signsFrom, item } of held) {
      const publicKey = String(key.export({ type: "spki", format: "pem" }));
      await table.put({ pk: item.pk, sk: item.sk, publicKey, signsFrom }, { type: "equals", attribute: "signsFrom", value: signsFrom });
    }
    if (held.length > 0) await load(cluster);
  };

  return {
    async signer(cluster): Promise<TokenSigner> {
      const { id: keyId, privateKey: key } = await ensureSigner(cluster);
      return { keyId, algorithm, sign: async (message) => sign("sha256", message, { key, dsaEncoding: "ieee-p1363" }) };
    },
    async verificationKeys(cluster) {
      // Whoever asks for the keys before the first token was signed gets the key that will sign it.
      await ensureSigner(cluster);
      return (await known(cluster)).keys;
    },
    async verificationKey(cluster, id) {
      const find = ({ keys }: Known) => keys.find((key) => key.id === id);
      return find(await known(cluster)) ?? find(await known(cluster, lookAgainMs));
    },
  };
}

const partition = (cluster: string): string => `${cluster}/token-keys`;

/** The first key of all signs whatever the clock says here: another process, whose clock may be ahead, made it for at once. */
function signingKey(keys: readonly Key[], now: number): (Key & { readonly privateKey: KeyObject }) | undefined {
  const candidate = keys.findLast(({ signsFrom }) => signsFrom <= now) ?? keys[0];
  return candidate?.privateKey && { ...candidate, privateKey: candidate.privateKey };
}

function keyIn(item: Item): Key {
  const { privateKey: secret, publicKey, signsFrom } = item;
  const privateKey = typeof secret === "string" ? createPrivateKey(secret) : undefined;
  const key = privateKey ? createPublicKey(privateKey) : createPublicKey(String(publicKey));
  return { id: idOf(key), algorithm, key, signsFrom: Number(signsFrom), privateKey, item };
}

/** @see k8s.io/kubernetes/pkg/serviceaccount, keyIDFromPublicKey */
const idOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("base64url");
