import { describe, expect, it } from "vitest";
import { humanDuration, since } from "../../../shared/api/durations.ts";
import { defaultPullPolicy, parseImageName } from "../../../shared/api/image-name.ts";
import {
  addressWarnings,
  isDualStackPair,
  networkWarnings,
  parseAddress,
  parseNetwork,
  validateCidr,
  validateIp,
} from "../../../shared/api/validation/addresses.ts";
import { isTimeZone, scheduleProblem } from "../../../shared/api/validation/cron.ts";
import { semanticallyEqual } from "../../../shared/api/validation/semantic-equality.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("durations", () => {
  it.each([
    [0, "0s"],
    [119 * second, "119s"],
    [2 * minute, "2m"],
    [2 * minute + 30 * second, "2m30s"],
    [10 * minute + 30 * second, "10m"],
    [3 * hour + 5 * minute, "3h5m"],
    [9 * hour + 5 * minute, "9h"],
    [3 * day + 4 * hour, "3d4h"],
    [8 * day + 4 * hour, "8d"],
    [400 * day, "400d"],
    [3 * 365 * day + 20 * day, "3y20d"],
    [9 * 365 * day, "9y"],
    [-1 * second, "0s"],
    [-1 * hour, "<invalid>"],
  ])("%i ms is %s", (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });

  it("are unknown where there is no time", () => {
    expect(since(undefined, new Date())).toBe("<unknown>");
    expect(since("2026-01-01T00:00:00Z", new Date("2026-01-01T00:05:00Z"))).toBe("5m");
  });
});

describe("image names", () => {
  it.each([
    ["nginx", "docker.io/library/nginx", "latest", "Always"],
    ["nginx:latest", "docker.io/library/nginx", "latest", "Always"],
    ["nginx:1.27", "docker.io/library/nginx", "1.27", "IfNotPresent"],
    ["team/app", "docker.io/team/app", "latest", "Always"],
    ["localhost/app:1", "localhost/app", "1", "IfNotPresent"],
    ["registry.example:5000/team/app", "registry.example:5000/team/app", "latest", "Always"],
    [`nginx@sha256:${"a".repeat(64)}`, "docker.io/library/nginx", "", "IfNotPresent"],
  ])("%s", (image, repository, tag, policy) => {
    expect(parseImageName(image)).toMatchObject({ repository, tag });
    expect(defaultPullPolicy(image)).toBe(policy);
  });

  it.each(["", "Nginx", "a b", "nginx:", `nginx@sha256:${"a".repeat(10)}`, "a".repeat(64)])("not %j", (image) => {
    expect(parseImageName(image)).toBeUndefined();
  });
});

describe("addresses", () => {
  it.each([
    ["10.0.0.1", 4, "10.0.0.1"],
    ["FD00::0:1", 6, "fd00::1"],
    ["::ffff:10.0.0.1", 4, "10.0.0.1"],
    ["010.0.0.1", 4, "10.0.0.1"],
  ] as const)("%s", (text, family, canonical) => {
    expect(parseAddress(text)).toMatchObject({ family, canonical });
  });

  it.each(["", "10.0.0", "10.0.0.256", "fe80::1%eth0", "example.com", "1:2"])("not %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("are refused when what they mean is in doubt", () => {
    expect(validateIp("010.0.0.1", "f")).toHaveLength(1);
    expect(validateIp("::ffff:10.0.0.1", "f")).toHaveLength(1);
    expect(validateIp("FD00::1", "f")).toEqual([]);
    expect(validateIp("FD00::1", "f", { canonical: true })).toHaveLength(1);
    expect(validateIp("x", "f", { tolerated: ["x"] })).toEqual([]);
  });

  it("come with advice where they could be written better", () => {
    expect(addressWarnings("FD00::1", "f")).toHaveLength(1);
    expect(addressWarnings("fd00::1", "f")).toEqual([]);
    expect(networkWarnings("10.0.0.1/8", "f")).toHaveLength(1);
  });

  it("form networks", () => {
    expect(parseNetwork("10.1.2.3/8")).toMatchObject({ family: 4, prefix: 8, canonical: "10.0.0.0/8", hasHostBits: true });
    expect(parseNetwork("fd00::/64")).toMatchObject({ family: 6, prefix: 64, hasHostBits: false });
    for (const text of ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "x/8", "10.0.0.0/x"]) expect(parseNetwork(text), text).toBeUndefined();
    expect(validateCidr("10.0.0.1/8", "f")).toHaveLength(1);
  });

  it("are a pair when there is one of each family", () => {
    expect(isDualStackPair(["10.0.0.1", "fd00::1"])).toBe(true);
    expect(isDualStackPair(["10.0.0.1", "10.0.0.2"])).toBe(false);
  });
});

describe("schedules", () => {
  it.each(["* * * * *", "0 3 * * 1-5", "*/5 0-12/2 1,15 JAN-MAR MON", "@daily", "@every 1h30m", "TZ=UTC 0 0 * * *"])("%s", (schedule) => {
    expect(scheduleProblem(schedule)).toBeUndefined();
  });

  it.each(["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "x * * * *", "@never", "5-3 * * * *", "*/0 * * * *"])(
    "not %j",
    (schedule) => {
      expect(scheduleProblem(schedule)).toEqual(expect.any(String));
    },
  );

  it("follow time zones of the database", () => {
    expect(isTimeZone("Europe/Berlin")).toBe(true);
    expect(isTimeZone("UTC")).toBe(true);
    expect(isTimeZone("Nowhere/Land")).toBe(false);
    expect(isTimeZone("+02:00")).toBe(false);
  });
});

describe("equality as the API means it", () => {
  it.each([
    [undefined, []],
    [undefined, ""],
    [{}, undefined],
    [{ a: [] }, {}],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [0, undefined],
  ])("%j equals %j", (left, right) => {
    expect(semanticallyEqual(left, right)).toBe(true);
    expect(semanticallyEqual(right, left)).toBe(true);
  });

  it.each([
    [1, 2],
    [
      ["a", "b"],
      ["b", "a"],
    ],
    [{ a: "x" }, {}],
    ["a", ["a"]],
  ])("%j differs from %j", (left, right) => {
    expect(semanticallyEqual(left, right)).toBe(false);
    expect(semanticallyEqual(right, left)).toBe(false);
  });
});
