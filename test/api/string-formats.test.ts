/** Formats, URLs and regular expressions as Go reads them. */
import { describe, expect, it } from "vitest";
import { checkPattern, findAllPattern, findPattern, matchesPattern, PatternError } from "../../shared/api/re2.ts";
import { hasFormat, isRecognizedFormat, wordDuration } from "../../shared/api/string-formats.ts";
import { checkRequestUri, parseQuery, parseUrl, splitHost, UrlError } from "../../shared/api/urls.ts";

describe("a string format", () => {
  it.each([
    ["date-time", ["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123+01:00"], ["2026-01-02", "2026-01-02T24:00:00Z", "tomorrow"]],
    ["date", ["2024-02-29"], ["2026-02-29", "2026-2-1"]],
    ["duration", ["1h30m", "-1.5s", "0", "3 days", "2 hours 5 min"], ["", "long", "1x"]],
    ["ipv4", ["10.0.0.1", "010.0.0.1"], ["10.0.0", "::1"]],
    ["ipv6", ["::1", "fe80::1"], ["10.0.0.1", "::1%eth0"]],
    ["cidr", ["10.0.0.0/8", "::/0"], ["10.0.0.0", "10.0.0.0/33"]],
    ["email", ["a@example.com", "Some Body <a@example.com>"], ["nobody", "a@", "a b@example.com"]],
    ["hostname", ["example.com", "localhost"], ["-", "a..b", `${"a".repeat(64)}.com`]],
    ["uri", ["https://example.com/a?b=c", "/a", "mailto:a"], ["a b", "example", ""]],
    ["uuid4", ["6ba7b810-9dad-41d1-80b4-00c04fd430c8"], ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"]],
    ["byte", ["aGVsbG8="], ["", "a", "!"]],
    ["mac", ["00:00:5e:00:53:01", "0000.5e00.5301"], ["00:00:5e:00:53", "00:00-5e:00:53:01"]],
    ["isbn", ["0321751043", "978-0321751041"], ["0321751044", "978-0321751042"]],
    ["creditcard", ["4111 1111 1111 1111"], ["4111 1111 1111 1112"]],
    ["rgbcolor", ["rgb(0, 128, 255)"], ["rgb(0,0,256)"]],
    ["k8s-short-name", ["a-b"], ["A", "-a", "a".repeat(64)]],
    ["k8s-long-name", ["a.b-c.d"], ["a..b", "A.b"]],
  ] as const)("%s", (format, right, wrong) => {
    expect(right.filter((text) => !hasFormat(text, format))).toEqual([]);
    expect(wrong.filter((text) => hasFormat(text, format))).toEqual([]);
  });

  it("that nobody knows says nothing", () => {
    expect(isRecognizedFormat("strange", "string")).toBe(false);
    expect(hasFormat("anything", "strange")).toBe(true);
  });

  it("in words adds up", () => {
    expect(wordDuration("1 hour 30 seconds")).toBe(3_630_000_000_000n);
    expect(wordDuration("forever")).toBeUndefined();
  });
});

describe("a URL", () => {
  it("is taken apart as Go does", () => {
    const { scheme, host, escapedPath, rawQuery } = parseUrl("HTTPS://user@[::1]:8080/a b?x=1&x=2&y=%20#f");
    expect({ scheme, host, escapedPath }).toEqual({ scheme: "https", host: "[::1]:8080", escapedPath: "/a%20b" });
    expect(splitHost(host)).toEqual({ hostname: "::1", port: "8080" });
    expect([...parseQuery(rawQuery)]).toEqual([
      ["x", ["1", "2"]],
      ["y", [" "]],
    ]);
  });

  it.each([
    ["", "empty url"],
    ["nowhere", "invalid URI for request"],
    [":80", "missing protocol scheme"],
    ["http://a:b", 'invalid port ":b" after host'],
    ["http://[::1", "missing ']' in host"],
    ["http://a/%zz", 'invalid URL escape "%zz"'],
    ["http://a\nb", "net/url: invalid control character in URL"],
  ])("%j is none", (text, problem) => {
    expect(() => checkRequestUri(text)).toThrow(UrlError);
    expect(() => checkRequestUri(text)).toThrow(problem);
  });
});

describe("a regular expression", () => {
  it("matches anywhere, and knows flags", () => {
    expect(matchesPattern("b+", "abbc")).toBe(true);
    expect(matchesPattern("^(?i)ABC$", "abc")).toBe(true);
    expect(findPattern("[0-9]+", "a12b3")).toBe("12");
    expect(findPattern("x", "a")).toBeUndefined();
    expect(findAllPattern("[0-9]+", "a12b3", -1)).toEqual(["12", "3"]);
    expect(findAllPattern("[0-9]+", "a12b3", 1)).toEqual(["12"]);
  });

  it("that RE2 does not know is refused, every time", () => {
    for (const pattern of ["a(", "(?=x)", "(a)\\1"]) {
      expect(() => checkPattern(pattern)).toThrow(PatternError);
      expect(() => checkPattern(pattern)).toThrow(PatternError);
    }
  });

  it("takes time in proportion to its text", () => {
    expect(matchesPattern("^(a|aa)+$", `${"a".repeat(5000)}b`)).toBe(false);
    expect(matchesPattern("(x+x+)+y", "x".repeat(5000))).toBe(false);
  });
});
