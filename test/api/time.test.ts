import { describe, expect, it } from "vitest";
import { canonicalMicroTime, canonicalTime, formatMicroTime, parseMoment, TimeError } from "../../shared/api/time.ts";

describe("a time", () => {
  it.each([
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.999999999Z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T00:30:00+01:00", "2026-01-01T23:30:00Z"],
    ["2024-02-29T12:00:00-05:30", "2024-02-29T17:30:00Z"],
    ["1912-01-02T03:04:05Z", "1912-01-02T03:04:05Z"],
    ["0001-01-01T00:00:00Z", undefined],
  ])("%s is written as %s", (text, canonical) => {
    expect(canonicalTime(text)).toBe(canonical);
  });

  it.each([
    ["", 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ["2026-1-2T03:04:05Z", 'parsing time "2026-1-2T03:04:05Z" as "2006-01-02T15:04:05Z07:00": cannot parse "1-2T03:04:05Z" as "01"'],
    ["2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'],
    ["2026-02-29T00:00:00Z", 'parsing time "2026-02-29T00:00:00Z": day out of range'],
    ["2026-01-01T25:00:00Z", 'parsing time "2026-01-01T25:00:00Z": hour out of range'],
    ["2026-01-01T00:00:00", 'parsing time "2026-01-01T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'],
    ["2026-01-01T00:00:00Zx", 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"'],
  ])("%j is refused in Go's words", (text, message) => {
    expect(() => canonicalTime(text)).toThrow(new TimeError(message));
  });
});

describe("a MicroTime", () => {
  it("has six digits, in UTC", () => {
    expect(canonicalMicroTime("2026-01-02T03:04:05.123456+01:00")).toBe("2026-01-02T02:04:05.123456Z");
    expect(canonicalMicroTime("2026-01-02T03:04:05.000000Z")).toBe("2026-01-02T03:04:05.000000Z");
  });

  it.each(["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.1234567Z"])(
    "is refused without exactly six: %s",
    (text) => {
      expect(() => canonicalMicroTime(text)).toThrow('as ".000000"');
    },
  );

  it("survives the way through seconds and nanoseconds, before 1970 too", () => {
    for (const text of ["2026-01-02T03:04:05.000001Z", "1969-12-31T23:59:59.999999Z"]) {
      expect(formatMicroTime(parseMoment(text))).toBe(text);
    }
  });
});
