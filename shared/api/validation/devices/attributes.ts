/** Attributes of devices: a value each, of one type. */
import type { DeviceAttribute } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { invalid, tooLong } from "../problems.ts";

const longestValue = 64;

const number = "(0|[1-9]\\d*)";
const prerelease = "(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
const build = "[0-9a-zA-Z-]+";
const versionPattern = new RegExp(`^${number}\\.${number}\\.${number}(-${prerelease}(\\.${prerelease})*)?(\\+${build}(\\.${build})*)?$`);

export function validateAttribute(attribute: DeviceAttribute, at: string): Problem[] {
  const { bool, int, string, version } = attribute;
  const given = [bool, int, string, version].filter((value) => value !== undefined);
  return [
    ...(string === undefined ? [] : validateLength(string, `${at}.string`)),
    ...(version === undefined ? [] : validateVersion(version, `${at}.version`)),
    ...(given.length === 1 ? [] : [invalid(at, given.length === 0 ? "" : shown(attribute), "exactly one value must be specified")]),
  ];
}

const validateLength = (value: string, field: string): Problem[] =>
  Buffer.byteLength(value) > longestValue ? [tooLong(field, longestValue)] : [];

const validateVersion = (version: string, field: string): Problem[] => [
  ...(versionPattern.test(version) ? [] : [invalid(field, version, "must be a string compatible with semver.org spec 2.0.0")]),
  ...validateLength(version, field),
];

/** As messages show it: under the names that its fields have in Go. */
const shown = ({ int, bool, string, version }: DeviceAttribute): unknown => ({
  IntValue: int ?? null,
  BoolValue: bool ?? null,
  StringValue: string ?? null,
  VersionValue: version ?? null,
  IntValues: null,
  BoolValues: null,
  StringValues: null,
  VersionValues: null,
});
