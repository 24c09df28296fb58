import { describe, expect, it } from "vitest";
import {
  configKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  environmentNameProblems,
  generateName,
  httpHeaderNameProblems,
  labelValueProblems,
  nameProblems,
  pathSegmentProblems,
  percentProblems,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
  wildcardSubdomainProblems,
} from "../../../shared/api/names.ts";
import { kindOf } from "../../support/kind-pipeline.ts";

type Check = (value: string) => string[];

const accepted: readonly (readonly [what: string, check: Check, values: readonly string[]])[] = [
  ["a DNS label", dnsLabelProblems, ["a", "web-1", "1web", "x".repeat(63)]],
  ["a DNS 1035 label", dns1035LabelProblems, ["a", "web-1"]],
  ["a DNS subdomain", dnsSubdomainProblems, ["a", "a.b.c", "1.2", "x".repeat(253)]],
  ["a wildcard subdomain", wildcardSubdomainProblems, ["*.example.com"]],
  ["a path segment", pathSegmentProblems, ["system:node", "A B", "..."]],
  ["a qualified name", qualifiedNameProblems, ["a", "A_b.c-d", "example.com/a", "1"]],
  ["a label value", labelValueProblems, ["", "a", "A_b.c-d", "x".repeat(63)]],
  ["a key of a ConfigMap", configKeyProblems, ["a", "a.b", "_A-1"]],
  ["the name of an environment variable", environmentNameProblems, ["PATH", "my.var", "with space"]],
  ["the name of a port", portNameProblems, ["http", "a", "web-1"]],
  ["a percentage", percentProblems, ["0%", "100%", "250%"]],
  ["the name of a header", httpHeaderNameProblems, ["X-A", "Host"]],
];

const refused: readonly (readonly [what: string, check: Check, values: readonly string[]])[] = [
  ["a DNS label", dnsLabelProblems, ["", "A", "a.b", "-a", "a-", "x".repeat(64), "ä"]],
  ["a DNS 1035 label", dns1035LabelProblems, ["1a", "A", "a.b", "x".repeat(64)]],
  ["a DNS subdomain", dnsSubdomainProblems, ["", "A.b", "a..b", ".a", "a_b", "x".repeat(254)]],
  ["a wildcard subdomain", wildcardSubdomainProblems, ["*", "a.*.b", "example.com", "**.a"]],
  ["a path segment", pathSegmentProblems, [".", "..", "a/b", "a%b"]],
  ["a qualified name", qualifiedNameProblems, ["", "a b", "/a", "a/", "a/b/c", "A_b/c", `a/${"x".repeat(64)}`]],
  ["a label value", labelValueProblems, ["-a", "a b", "x".repeat(64), "a/b"]],
  ["a key of a ConfigMap", configKeyProblems, ["", ".", "..", "..a", "a b", "a/b", "x".repeat(254)]],
  ["the name of an environment variable", environmentNameProblems, ["", "a=b", "ä"]],
  ["the name of a port", portNameProblems, ["", "80", "a--b", "-a", "A", "x".repeat(16)]],
  ["a percentage", percentProblems, ["", "5", "-5%", "5.5%"]],
  ["the name of a header", httpHeaderNameProblems, ["", "a b", "a_b"]],
];

describe("names", () => {
  it.each(accepted)("%s", (_, check, values) => {
    for (const value of values) expect(check(value), value).toEqual([]);
  });

  it.each(refused)("not %s", (_, check, values) => {
    for (const value of values) expect(check(value), value).not.toEqual([]);
  });

  it("are refused in Kubernetes' words", () => {
    expect(dnsSubdomainProblems("Web_1")).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ]);
    expect(dnsLabelProblems("a".repeat(64))).toEqual(["must be no more than 63 characters"]);
    expect(portNumberProblems(0)).toEqual(["must be between 1 and 65535, inclusive"]);
    expect(pathSegmentProblems("a/b")).toEqual(["may not contain '/'"]);
  });

  it("may end with a dash when something will follow", () => {
    expect(nameProblems("dnsSubdomain", "web-")).not.toEqual([]);
    expect(nameProblems("dnsSubdomain", "web-", { generate: true })).toEqual([]);
    expect(nameProblems("dnsLabel", "-web-", { generate: true })).not.toEqual([]);
  });
});

describe("which rule a kind's names follow", () => {
  it.each([
    ["v1", "Namespace", "dnsLabel"],
    ["v1", "Service", "dnsLabel"],
    ["apps/v1", "StatefulSet", "dnsLabel"],
    ["rbac.authorization.k8s.io/v1", "Role", "pathSegment"],
    ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "pathSegment"],
    ["v1", "Pod", undefined],
    ["apps/v1", "Deployment", undefined],
  ])("%s %s: %s", (apiVersion, kind, rule) => {
    expect(kindOf({ apiVersion, kind }).behaviour.nameRule).toBe(rule);
  });
});

describe("generated names", () => {
  it("are the base and five safe characters", () => {
    expect(generateName("web-", () => 0)).toBe("web-bbbbb");
    expect(generateName("web-", () => 0.999_999)).toBe("web-99999");
    expect(generateName("web-", Math.random)).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it("never exceed 63 characters", () => {
    expect(generateName("x".repeat(80), () => 0)).toBe(`${"x".repeat(58)}bbbbb`);
  });
});
