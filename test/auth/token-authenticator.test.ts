import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { tokenAuthenticator } from "../../shared/auth/token-authenticator.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const request = (authorization?: string) => ({ cluster: "default", headers: new Headers(authorization ? { authorization } : {}) });

describe("a token authenticator", () => {
  const authenticator = tokenAuthenticator([sha256("one"), `${sha256("two").toUpperCase()}:second@example.com`]);

  it("knows administrators by their token", async () => {
    expect(await authenticator.authenticate(request("Bearer one"))).toEqual({
      username: "kubernetes-admin",
      groups: ["system:masters", "system:authenticated"],
    });
    expect(await authenticator.authenticate(request("bearer  two"))).toMatchObject({ username: "second@example.com" });
  });

  it("leaves requests without a bearer token to others", async () => {
    expect(await authenticator.authenticate(request())).toBeUndefined();
    expect(await authenticator.authenticate(request("Basic b25lOm9uZQ=="))).toBeUndefined();
    expect(await authenticator.authenticate(request("Bearer "))).toBeUndefined();
  });

  it("refuses others", async () => {
    await expect(authenticator.authenticate(request("Bearer three"))).rejects.toMatchObject({ reason: "Unauthorized" });
    await expect(tokenAuthenticator([]).authenticate(request("Bearer one"))).rejects.toMatchObject({ reason: "Unauthorized" });
  });

  it("refuses settings that are no hashes", () => expect(() => tokenAuthenticator(["one"])).toThrow(TypeError));
});
