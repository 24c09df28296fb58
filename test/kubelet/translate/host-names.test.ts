import { describe, expect, it } from "vitest";
import type { Pod } from "../../../shared/api/generated/types.ts";
import { bareEcs } from "../../../shared/kubelet/engine-features.ts";
import { dnsLabel, hostAliasesLabel, hostnameLabel, subdomainLabel } from "../../../shared/kubelet/pod-tags.ts";
import { aWorkPod } from "../../support/nodes.ts";
import { type Surroundings, taskOf, translate } from "../../support/translation.ts";

const pod = (spec: Partial<Pod["spec"]>): Pod => aWorkPod({ spec: { containers: [{ name: "app", image: "example/app:1" }], ...spec } });
const labelsOf = (spec: Partial<Pod["spec"]>, surroundings?: Surroundings) =>
  taskOf(pod(spec), surroundings).definition.containerDefinitions[0]?.dockerLabels ?? {};
const name = pod({}).metadata.name;

describe("how a Pod is called and whom it finds", () => {
  it("travels by labels to who can give host names", () => {
    const hostAliases = [{ ip: "192.0.2.1", hostnames: ["db", "cache"] }, { ip: "192.0.2.2" }];
    const labels = labelsOf({ hostname: "first", subdomain: "web", hostAliases });
    expect(labels[hostnameLabel]).toBe("first");
    expect(labels[subdomainLabel]).toBe("web");
    expect(JSON.parse(labels[hostAliasesLabel] ?? "")).toEqual([
      { ip: "192.0.2.1", hostnames: ["db", "cache"] },
      { ip: "192.0.2.2", hostnames: [] },
    ]);
  });

  it("is the same definition for all Pods of a StatefulSet: a host name that is the Pod's own is left away", () => {
    expect(labelsOf({ hostname: name })).not.toHaveProperty(hostnameLabel);
  });

  it.each([
    { spec: {}, label: undefined },
    { spec: { dnsPolicy: "ClusterFirst" }, label: undefined },
    { spec: { dnsPolicy: "Default" }, label: { policy: "Default" } },
    {
      spec: { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.1"] } },
      label: { policy: "None", nameservers: ["192.0.2.1"] },
    },
    { spec: { dnsConfig: { options: [{ name: "ndots", value: "1" }] } }, label: { options: [{ name: "ndots", value: "1" }] } },
  ])("names are resolved as $spec says", ({ spec, label }) => {
    const text = labelsOf(spec)[dnsLabel];
    expect(text === undefined ? undefined : JSON.parse(text)).toEqual(label);
  });

  it("is refused or warned of where nobody can do it", () => {
    expect(translate(pod({ dnsPolicy: "None" }), { features: bareEcs })).toMatchObject({ problems: [{ field: "spec.dnsPolicy" }] });
    expect(taskOf(pod({ dnsConfig: {} }), { features: bareEcs }).warnings).toMatchObject([{ field: "spec.dnsConfig" }]);
  });
});
