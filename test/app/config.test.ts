import { describe, expect, it } from "vitest";
import { readConfig } from "../../shared/app/config.ts";

const least = { BINNACLE_TABLE: "table", AWS_REGION: "eu-west-1" };

describe("the settings of volumes", () => {
  it("serve only their own class unless they are told otherwise", () => {
    expect(readConfig(least)).toMatchObject({ provisionAny: false, volumeFolder: "/var/lib/binnacle/volumes" });
    const given = { ...least, BINNACLE_PROVISION_ANY: "true", BINNACLE_VOLUME_FOLDER: "/data/volumes" };
    expect(readConfig(given)).toMatchObject({ provisionAny: true, volumeFolder: "/data/volumes" });
  });

  it.each([
    { name: "BINNACLE_PROVISION_ANY", value: "yes", why: "BINNACLE_PROVISION_ANY must be true or false" },
    { name: "BINNACLE_VOLUME_FOLDER", value: "volumes", why: "BINNACLE_VOLUME_FOLDER must be an absolute path" },
  ])("$name: $value is refused", ({ name, value, why }) => {
    expect(() => readConfig({ ...least, [name]: value })).toThrow(why);
  });
});
