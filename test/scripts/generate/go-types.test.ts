import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GoTypes } from "../../../scripts/generate/go-types.ts";

const source = `package v1

import (
	metav1 "k8s.io/example/meta/v1"
)

// Widget has a comment with a brace { and a "quote".
type Widget struct {
	metav1.TypeMeta \`json:",inline"\`
	// +optional
	metav1.ObjectMeta \`json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"\`
	// The type struct { of a comment
	Spec WidgetSpec \`json:"spec,omitempty" protobuf:"bytes,2,opt,name=Spec"\`
}

type WidgetSpec struct {
	Source    \`json:",inline" protobuf:"bytes,3,opt,name=source"\`
	Replicas  *int32           \`json:"replicas,omitempty" protobuf:"varint,1,opt,name=replicas"\`
	Phase     Phase            \`json:"phase" protobuf:"bytes,2,opt,name=phase,casttype=Phase"\`
	Extra     map[string]Words \`json:"extra,omitempty" protobuf:"bytes,4,rep,name=extra"\`
	hidden    string
	Skipped   string           \`json:"-"\`
}

type Source struct {
	Secret []byte \`json:"secret,omitempty" protobuf:"bytes,7,opt,name=secret"\`
}

type Phase string

type Words []string
`;
const meta = `package v1

type TypeMeta struct {
	Kind string \`json:"kind,omitempty" protobuf:"bytes,1,opt,name=kind"\`
}

type ObjectMeta struct {
	Name string \`json:"name,omitempty" protobuf:"bytes,1,opt,name=name"\`
}
`;

describe("reading Go structs", () => {
  const folder = mkdtempSync(join(tmpdir(), "go-types-"));
  beforeAll(() => {
    writeFileSync(join(folder, "go.mod"), "module k8s.io/example\n");
    for (const [name, text] of [
      ["widgets/v1/types.go", source],
      ["widgets/v1/generated.proto", ""],
      ["widgets/v1/register.go", 'package v1\n\nconst GroupName = "widgets.example.com"\n'],
      ["meta/v1/types.go", meta],
    ] as const) {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const field = (id: string, name: string) =>
    new GoTypes([folder]).struct(`io.k8s.example.widgets.v1.${id}`)?.fields.find((each) => each.name === name);

  it("finds packages with messages, their structs and their group", () => {
    const go = new GoTypes([folder]);
    expect(go.packages()).toEqual(["k8s.io/example/widgets/v1"]);
    expect(go.structIds("k8s.io/example/widgets/v1")).toContain("io.k8s.example.widgets.v1.WidgetSpec");
    expect(go.group("k8s.io/example/widgets/v1")).toBe("widgets.example.com");
  });

  it("tells kinds from other structs", () => {
    const go = new GoTypes([folder]);
    expect(go.struct("io.k8s.example.widgets.v1.Widget")?.isKind).toBe(true);
    expect(go.struct("io.k8s.example.widgets.v1.WidgetSpec")?.isKind).toBe(false);
    expect(go.struct("io.k8s.example.widgets.v1.Phase")).toBeUndefined();
  });

  it("gives type fields no number: they travel in the envelope", () => {
    expect(field("Widget", "kind")).toMatchObject({ numbers: [], embedded: ["TypeMeta"] });
    expect(field("Widget", "metadata")).toMatchObject({ numbers: [1], type: { is: "struct", id: "io.k8s.example.meta.v1.ObjectMeta" } });
  });

  it("knows pointers, omitted zeros and Go's spelling", () => {
    expect(field("WidgetSpec", "replicas")).toMatchObject({ pointer: true, omitEmpty: true, goType: "int32" });
    expect(field("WidgetSpec", "phase")).toMatchObject({
      pointer: false,
      omitEmpty: false,
      goType: "v1.Phase",
      type: { is: "scalar", scalar: "string" },
    });
  });

  it("follows embedded structs through the messages they are", () => {
    expect(field("WidgetSpec", "secret")).toMatchObject({ numbers: [3, 7], embedded: ["Source"], goType: "[]uint8" });
  });

  it("sees that a named list is a message of its own", () => {
    expect(field("WidgetSpec", "extra")?.type).toEqual({
      is: "map",
      of: { is: "list", of: { is: "scalar", scalar: "string" }, wrapped: true },
    });
  });

  it("leaves out what JSON leaves out", () => {
    const names = new GoTypes([folder]).struct("io.k8s.example.widgets.v1.WidgetSpec")?.fields.map(({ name }) => name);
    expect(names).toEqual(["secret", "replicas", "phase", "extra"]);
  });
});
