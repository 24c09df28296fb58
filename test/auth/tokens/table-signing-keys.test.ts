import { describe, expect, it } from "vitest";
import { isSignedBy, readToken, signToken } from "../../../shared/auth/tokens/jwt.ts";
import { tableSigningKeys } from "../../../shared/auth/tokens/table-signing-keys.ts";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const dayMs = 24 * 60 * 60_000;

function world() {
  const clock = fakeClock();
  const table = memoryTable({ clock });
  return { clock, table, process: () => tableSigningKeys({ table, clock }) };
}

type Keys = ReturnType<ReturnType<typeof world>["process"]>;

async function isValid(keys: Keys, token: string): Promise<boolean> {
  const read = readToken(token);
  const key = read?.keyId && (await keys.verificationKey("c", read.keyId));
  return Boolean(read && key && isSignedBy(read, key));
}

describe("signing keys in the table", () => {
  it("many processes that sign for the first time agree on one key", async () => {
    const { process } = world();
    const processes = [process(), process(), process()];
    const signers = await Promise.all(processes.map((keys) => keys.signer("c")));
    expect(new Set(signers.map(({ keyId }) => keyId)).size).toBe(1);
    expect(await processes[0]?.verificationKeys("c")).toHaveLength(1);
  });

  it("a process whose clock is behind signs with the first key that another made", async () => {
    const { clock, table } = world();
    const ahead = fakeClock(new Date(clock.now().getTime() + 50).toISOString());
    const { keyId } = await tableSigningKeys({ clock: ahead, table }).signer("c");
    expect((await tableSigningKeys({ clock, table }).signer("c")).keyId).toBe(keyId);
  });

  it("another process verifies what one signed", async () => {
    const { process } = world();
    const token = await signToken({ sub: "me" }, await process().signer("c"));
    expect(await isValid(process(), token)).toBe(true);
  });

  it("after 90 days another key signs, published hours before; old tokens still count", async () => {
    const { clock, process } = world();
    const keys = process();
    const old = await signToken({ sub: "me" }, await keys.signer("c"));
    const first = (await keys.signer("c")).keyId;
    await clock.advance(91 * dayMs);
    expect((await keys.signer("c")).keyId).toBe(first);
    expect(await keys.verificationKeys("c")).toHaveLength(2);
    await clock.advance(2 * 60 * 60_000);
    expect((await keys.signer("c")).keyId).not.toBe(first);
    expect(await isValid(keys, old)).toBe(true);
    expect(await isValid(process(), old)).toBe(true);
  });

  it("the private half of a replaced key is forgotten", async () => {
    const { clock, table, process } = world();
    const keys = process();
    await keys.signer("c");
    await clock.advance(91 * dayMs);
    await keys.signer("c");
    await clock.advance(dayMs);
    await keys.signer("c");
    const { items } = await table.query({ pk: "c/token-keys", consistent: true });
    expect(items.filter(({ privateKey }) => privateKey !== undefined)).toHaveLength(1);
    expect(items.filter(({ publicKey }) => publicKey !== undefined)).toHaveLength(1);
  });

  it("a key that another process made is found, and unknown ones are not asked for again and again", async () => {
    const { clock, table, process } = world();
    const keys = process();
    await keys.signer("c");
    let reads = 0;
    const counting = tableSigningKeys({ clock, table: { ...table, query: (query) => (reads++, table.query(query)) } });
    for (let attempt = 0; attempt < 100; attempt++) expect(await counting.verificationKey("c", "invented")).toBeUndefined();
    expect(reads).toBeLessThanOrEqual(2);
    await clock.advance(5_000);
    await counting.verificationKey("c", "invented");
    expect(reads).toBe(2);
  });

  it("a new key is known to a process that looked before it was made", async () => {
    const { clock, process } = world();
    const reader = process();
    await reader.verificationKeys("c");
    await clock.advance(91 * dayMs);
    const writer = process();
    await writer.signer("c");
    await clock.advance(3 * 60 * 60_000);
    expect(await isValid(reader, await signToken({}, await writer.signer("c")))).toBe(true);
  });
});
