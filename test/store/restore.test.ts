import { describe, expect, it } from "vitest";
import { logKeys } from "../../shared/store/keys.ts";
import { slotSortKey } from "../../shared/store/slot.ts";
import { UnknownClusterError } from "../../shared/store/store.ts";
import { gate, isSlot } from "../support/faulty-table.ts";
import { auditLog } from "../support/log-audit.ts";
import { aScene, keysOf, leftOf, objectOf, put, remove, type Scene, update } from "../support/stores.ts";

const forever = { untilMs: Infinity };
const slotOf = (revision: number) => Math.floor(revision / 1_000);

/** What a backup did not have. */
async function lose(scene: Scene, revision: number): Promise<void> {
  const { keys } = await auditLog(scene.table);
  await scene.table.delete({ pk: keys.slots, sk: slotSortKey(slotOf(revision)) });
}

describe("a restore from a torn backup", () => {
  it("keeps what can be replayed, and takes away what follows a hole", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    await scene.process().maintain("default", forever);
    await pods.commit(put("b"));
    const lost = objectOf(await pods.commit(put("c")));
    await pods.commit(put("d"));
    await lose(scene, lost.revision);
    const restored = (await scene.process().restoredCluster("default")).resource("pods");
    expect(await keysOf(restored)).toEqual(["a", "b"]);
    await restored.commit(put("e"));
    await auditLog(scene.table);
  });

  it("keeps what the view knows of slots that were lost, the newest among them", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    const middle = objectOf(await pods.commit(put("b")));
    await pods.commit(put("c"));
    const last = objectOf(await pods.commit(put("d")));
    await scene.process().maintain("default", forever);
    await lose(scene, middle.revision);
    await scene.table.delete({
      pk: logKeys("default", await incarnationOf(scene), "pods").slots,
      sk: slotSortKey(slotOf(last.revision)),
    });
    const restored = (await scene.process().restoredCluster("default")).resource("pods");
    expect(await keysOf(restored)).toEqual(["a", "b", "c", "d"]);
  });

  it("gives the view what it had not yet when the backup came by, though the watermark says so", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a", { n: 1 })));
    await pods.commit(put("gone"));
    await pods.commit(put("b"));
    await scene.process().maintain("default", forever);
    const { keys } = await auditLog(scene.table);
    const before = await scene.table.get({ pk: keys.view, sk: "gone" }, { consistent: true });
    await pods.commit(update("a", revision, { n: 2 }));
    await pods.commit(remove("gone"));
    await scene.process().maintain("default", forever);
    await scene.table.put(before.item!);
    await scene.table.delete({ pk: keys.view, sk: "a" });
    const restored = (await scene.process().restoredCluster("default")).resource("pods");
    expect((await restored.list({ prefix: "", at: "newest" })).items.map(({ value }) => value)).toEqual([{ n: 2 }, { key: "b" }]);
  });

  it("takes an object as it was before when its chunks came too late for the backup", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    const { revision } = objectOf(await pods.commit(put("a", { n: 1 })));
    await pods.commit(put("b"));
    scene.table.calls.length = 0;
    await pods.commit(update("a", revision, { data: "x".repeat(100_000) }));
    await scene.process().maintain("default", forever);
    for (const { item } of scene.table.calls.filter(({ op, pk }) => op === "put" && pk.includes("#chunk#")))
      await scene.table.delete(item!);
    const former = await incarnationOf(scene);
    const restored = (await scene.process().restoredCluster("default")).resource("pods");
    expect((await restored.list({ prefix: "", at: "newest" })).items.map(({ value }) => value)).toEqual([{ n: 1 }, { key: "b" }]);
    for (let pass = 0; pass < 3; pass++) {
      await scene.process().maintain("default", forever);
      scene.clock.jump(10 * 24 * 3_600_000);
    }
    expect(await leftOf(scene, former)).toEqual([]);
  });

  it("goes on where it was cut short, by itself with the next upkeep", async () => {
    for (let crashAt = 0; crashAt < 10; crashAt++) {
      const scene = await aScene();
      const pods = await scene.resource();
      for (const key of ["a", "b", "c"]) await pods.commit(put(key));
      let writes = 0;
      scene.table.faults.put = async (_item, _condition, real) => {
        if (writes++ >= crashAt) throw new RangeError("crash");
        return real();
      };
      await scene
        .process()
        .restoredCluster("default")
        .catch(() => {});
      scene.table.faults = {};
      await scene.process().maintain("default", forever);
      expect(await keysOf(await scene.resource())).toEqual(["a", "b", "c"]);
    }
  });

  it.each(["before it looks at the new log", "after it saw that the cluster is being restored"])(
    "brings back nothing that was deleted after somebody else had finished it: held %s",
    async (where) => {
      const scene = await aScene();
      const pods = await scene.resource();
      for (const key of ["a", "b", "c"]) await pods.commit(put(key));
      const former = await incarnationOf(scene);
      const held = gate();
      let looked = false;
      const slow = scene.process(
        {},
        {
          ...scene.table,
          async query(query) {
            if (query.pk.endsWith("#marks") && !query.pk.includes(`#${former}#`)) {
              looked = true;
              if (where.startsWith("before")) await held.pass();
            }
            return scene.table.query(query);
          },
          async get(key, options) {
            const answer = await scene.table.get(key, options);
            if (key.sk === "record" && looked) await held.pass();
            return answer;
          },
        },
      );
      const late = slow.restoredCluster("default");
      await held.arrived;
      const restored = (await scene.process().restoredCluster("default")).resource("pods");
      await restored.commit(remove("b"));
      held.open();
      await late;
      expect(await keysOf(await scene.resource())).toEqual(["a", "c"]);
    },
  );

  it("leaves nothing of the old life behind in the end", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a", { data: "x".repeat(100_000) }));
    const former = await incarnationOf(scene);
    await scene.process().restoredCluster("default");
    for (let pass = 0; pass < 3; pass++) {
      await scene.process().maintain("default", forever);
      scene.clock.jump(10 * 24 * 3_600_000);
    }
    expect(await leftOf(scene, former)).toEqual([]);
    expect(scene.table.calls.some(isSlotOf(former))).toBe(true);
    expect(await keysOf(await scene.resource())).toEqual(["a"]);
  });

  it("leaves nothing of it behind either where slots with chunks came after a hole", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    const lost = objectOf(await pods.commit(put("b")));
    await pods.commit(put("c"));
    await pods.commit(put("d", { data: "x".repeat(100_000) }));
    const former = await incarnationOf(scene);
    await lose(scene, lost.revision);
    await scene.process().restoredCluster("default");
    for (let pass = 0; pass < 3; pass++) {
      await scene.process().maintain("default", forever);
      scene.clock.jump(10 * 24 * 3_600_000);
    }
    expect(await leftOf(scene, former)).toEqual([]);
  });

  it("that was cut short does not keep the cluster from being deleted, made anew and looked after", async () => {
    const scene = await aScene();
    const pods = await scene.resource();
    await pods.commit(put("a"));
    const lost = objectOf(await pods.commit(put("b")));
    await pods.commit(put("c"));
    const former = await incarnationOf(scene);
    await lose(scene, lost.revision);
    scene.table.faults.put = async (item, _condition, real) => {
      if (isSlot(item)) throw new RangeError("crash");
      return real();
    };
    scene.table.faults.delete = async () => {
      throw new RangeError("crash");
    };
    await expect(scene.process().restoredCluster("default")).rejects.toThrow();
    scene.table.faults = {};
    const store = scene.process();
    await store.deleteCluster("default");
    const again = (await store.createCluster("default")).resource("pods");
    await again.commit(put("d"));
    for (let pass = 0; pass < 3; pass++) {
      await scene.process().maintain("default", forever);
      scene.clock.jump(10 * 24 * 3_600_000);
    }
    expect(await leftOf(scene, former)).toEqual([]);
    expect(await keysOf(await scene.resource())).toEqual(["d"]);
  });

  it("is refused for a cluster that was deleted", async () => {
    const scene = await aScene();
    await scene.process().deleteCluster("default");
    await expect(scene.process().restoredCluster("default")).rejects.toBeInstanceOf(UnknownClusterError);
  });
});

const isSlotOf =
  (incarnation: number) =>
  ({ pk }: { readonly pk: string }) =>
    isSlot({ pk, sk: "" }) && pk.includes(`#${incarnation}#`);

async function incarnationOf(scene: Scene): Promise<number> {
  const { item } = await scene.table.get({ pk: "default#cluster", sk: "record" }, { consistent: true });
  return Number(item?.incarnation);
}
