import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { dictionary } from "../../shared/store/dictionary.ts";
import { packText, unpackText } from "../../shared/store/encoding.ts";
import { randomFrom } from "../support/stores.ts";

const noise = (length: number) => {
  const random = randomFrom(7);
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join("");
};

describe("texts in the table", () => {
  it("are packed with a dictionary that never changes: what is stored could not be read any more", () => {
    expect(createHash("sha256").update(dictionary).digest("hex")).toBe("bc264ff5974770aacecc334db7ed2f6e2217b991fe627399795bc427d2a0787d");
  });

  it.each([
    { name: "empty", text: "" },
    { name: "a short object", text: '{"a":1}' },
    { name: "an object", text: JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "ä😀", labels: { app: "web" } } }) },
    { name: "what hardly compresses", text: JSON.stringify(noise(5_000)) },
    { name: "a text of 20 KB", text: JSON.stringify(Array.from({ length: 1_000 }, (_, n) => ({ name: `pod-${n}` }))) },
    { name: "a long text", text: JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ name: `pod-${n}` }))) },
  ])("come back as they were: $name", ({ text }) => {
    const packed = packText(text);
    expect(unpackText(packed)).toBe(text);
    expect(packed.length).toBeLessThanOrEqual(Buffer.byteLength(text));
  });

  it("come back when they were packed by a version that knew no deflate", () => {
    const text = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "default" } });
    expect(unpackText(Buffer.concat([Buffer.of(1), zstdCompressSync(text, { dictionary })]))).toBe(text);
  });

  it("are short for objects of Kubernetes, whose words the dictionary has", () => {
    const object = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web-5d4f8", namespace: "shop", uid: "0d9c4f0e-7d0a-4a43-9f6e-1f8f6f3f5c11", labels: { app: "web" } },
      spec: {
        containers: [{ name: "web", image: "web:1", imagePullPolicy: "IfNotPresent", terminationMessagePath: "/dev/termination-log" }],
        restartPolicy: "Always",
        dnsPolicy: "ClusterFirst",
        schedulerName: "default-scheduler",
        terminationGracePeriodSeconds: 30,
      },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-02-03T04:05:06Z" }] },
    };
    const text = JSON.stringify(object);
    expect(packText(text).length).toBeLessThan(text.length / 3);
  });
});
