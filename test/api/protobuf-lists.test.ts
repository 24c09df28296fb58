import { describe, expect, it } from "vitest";
import { encodeListItem, encodeProtobuf, encodeProtobufList } from "../../shared/api/protobuf.ts";

describe("a protobuf list of items that were encoded before", () => {
  it.each([0, 1, 300])("is the bytes of the list encoded at once: %i items", (count) => {
    const items = Array.from({ length: count }, (_, index) => ({ metadata: { name: `c-${index}` }, data: { key: "v".repeat(index) } }));
    const head = { apiVersion: "v1", kind: "ConfigMapList", metadata: { resourceVersion: "7", continue: "x" } };
    const parts = items.map((item) => encodeListItem("io.k8s.api.core.v1.ConfigMap", item));
    const whole = encodeProtobuf("io.k8s.api.core.v1.ConfigMapList", { ...head, items });
    expect(Buffer.concat(encodeProtobufList("io.k8s.api.core.v1.ConfigMapList", head, parts)).equals(whole)).toBe(true);
  });
});
