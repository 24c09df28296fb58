import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { fakeClock } from "../../support/fake-clock.ts";
import { type LocalRegistry, ociImage, sha256, startLocalRegistry } from "../../support/local-registry.ts";
import { requireProgram } from "../../support/tools.ts";

const clock = fakeClock();
let registry: LocalRegistry;
beforeEach(async () => {
  registry = await startLocalRegistry({ clock });
  await call("CreateRepository");
  return () => registry.stop();
});
const repositoryName = "shop/web";
const call = (operation: string, input: object = {}) => registry.call(operation, { repositoryName, ...input });

describe("a repository", () => {
  it("says where it is: at the registry of this machine", async () => {
    const { repositories } = await registry.call("DescribeRepositories");
    expect(repositories).toMatchObject([
      {
        repositoryName,
        repositoryUri: `${registry.host}/${repositoryName}`,
        repositoryArn: `arn:aws:ecr:us-east-1:000000000000:repository/${repositoryName}`,
        imageTagMutability: "MUTABLE",
      },
    ]);
  });

  it.each([
    ["CreateRepository", { repositoryName: "Shop" }, "InvalidParameterException"],
    ["CreateRepository", { repositoryName: "a" }, "InvalidParameterException"],
    ["CreateRepository", {}, "RepositoryAlreadyExistsException"],
    ["CreateRepository", { repositoryName: "other", imageTagMutability: "SOMETIMES" }, "InvalidParameterException"],
    ["DescribeRepositories", { repositoryNames: ["other"] }, "RepositoryNotFoundException"],
    ["ListImages", { repositoryName: "other" }, "RepositoryNotFoundException"],
    ["ListImages", { registryId: "123456789012" }, "RepositoryNotFoundException"],
    ["ListImages", { maxResults: 0 }, "InvalidParameterException"],
    ["BatchGetImage", { imageIds: [] }, "InvalidParameterException"],
  ])("%s %o is refused with %s", async (operation, input, type) => {
    expect(await call(operation, input)).toMatchObject({ __type: type });
  });

  it("is listed page by page", async () => {
    await call("CreateRepository", { repositoryName: "app" });
    const first = await registry.call("DescribeRepositories", { maxResults: 1 });
    expect(first.repositories).toMatchObject([{ repositoryName: "app" }]);
    const second = await registry.call("DescribeRepositories", { maxResults: 1, nextToken: first.nextToken });
    expect(second).toMatchObject({ repositories: [{ repositoryName }] });
    expect(second.nextToken).toBeUndefined();
  });

  it("is not deleted with its images, unless that is meant", async () => {
    await registry.putImage(repositoryName, "v1");
    expect(await call("DeleteRepository")).toMatchObject({ __type: "RepositoryNotEmptyException" });
    expect(await call("DeleteRepository", { force: true })).toMatchObject({ repository: { repositoryName } });
    await call("CreateRepository");
    expect(await call("ListImages")).toEqual({ imageIds: [] });
    expect((await registry.ask("HEAD", `${repositoryName}/blobs/${sha256("a layer")}`)).status).toBe(404);
  });
});

describe("images", () => {
  it("that Docker pushed are described", async () => {
    const digest = await registry.putImage(repositoryName, "v1", { layers: ["12345", "678"] });
    const signature = await registry.putImage(repositoryName, "sig", {
      subject: digest,
      artifactType: "application/vnd.example.signature",
    });
    const { imageDetails } = await call("DescribeImages");
    expect(imageDetails).toEqual([
      {
        registryId: "000000000000",
        repositoryName,
        imageDigest: digest,
        imageTags: ["v1"],
        imageSizeInBytes: 8,
        imagePushedAt: clock.now().getTime() / 1_000,
        imageManifestMediaType: ociImage,
        artifactMediaType: "application/vnd.oci.image.config.v1+json",
      },
      expect.objectContaining({
        imageDigest: signature,
        artifactMediaType: "application/vnd.example.signature",
        subjectManifestDigest: digest,
      }),
    ]);
    expect(await call("DescribeImages", { imageIds: [{ imageTag: "v2" }] })).toMatchObject({ __type: "ImageNotFoundException" });
  });

  it("are got with the digest that their manifest has", async () => {
    const digest = await registry.putImage(repositoryName, "v1");
    const { images, failures } = await call("BatchGetImage", {
      imageIds: [{ imageTag: "v1" }, { imageTag: "v2" }, {}, { imageDigest: "sha256:1" }, { imageTag: "v1", imageDigest: sha256("other") }],
    });
    expect(images).toMatchObject([{ imageId: { imageTag: "v1", imageDigest: digest }, imageManifestMediaType: ociImage }]);
    expect(sha256(images[0].imageManifest)).toBe(digest);
    expect(failures.map(({ failureCode }: { failureCode: string }) => failureCode)).toEqual([
      "ImageNotFound",
      "MissingDigestAndTag",
      "InvalidImageDigest",
      "ImageTagDoesNotMatchDigest",
    ]);
  });

  it("are tagged anew by putting them again", async () => {
    const digest = await registry.putImage(repositoryName, "v1");
    const { images } = await call("BatchGetImage", { imageIds: [{ imageTag: "v1" }] });
    const put = (input: object) => call("PutImage", { imageManifest: images[0].imageManifest, ...input });
    expect(await put({ imageTag: "v2" })).toMatchObject({ image: { imageId: { imageDigest: digest, imageTag: "v2" } } });
    expect(await put({ imageTag: "v2" })).toMatchObject({ __type: "ImageAlreadyExistsException" });
    expect(await put({ imageTag: "v3", imageDigest: sha256("x") })).toMatchObject({ __type: "ImageDigestDoesNotMatchException" });
    expect(await put({ imageTag: "no tag" })).toMatchObject({ __type: "InvalidParameterException" });
    expect(await put({ imageManifestMediaType: "text/plain" })).toMatchObject({ __type: "InvalidParameterException" });
    expect(await call("PutImage", { imageManifest: '{"schemaVersion":2}', imageManifestMediaType: "text/plain" })).toMatchObject({
      __type: "UnsupportedImageTypeException",
    });
    expect((await call("ListImages")).imageIds.map(({ imageTag }: { imageTag: string }) => imageTag)).toEqual(["v1", "v2"]);
  });

  it("keep their tags in an immutable repository", async () => {
    await call("PutImageTagMutability", { imageTagMutability: "IMMUTABLE" });
    await registry.putImage(repositoryName, "v1");
    await registry.putImage(repositoryName, "v2", { layers: ["other"] });
    const { images } = await call("BatchGetImage", { imageIds: [{ imageTag: "v1" }] });
    expect(await call("PutImage", { imageManifest: images[0].imageManifest, imageTag: "v2" })).toMatchObject({
      __type: "ImageTagAlreadyExistsException",
    });
  });

  it("are deleted by tag, with the last one, or by digest, with all", async () => {
    const digest = await registry.putImage(repositoryName, "v1");
    await registry.putImage(repositoryName, "v2");
    const index = { schemaVersion: 2, manifests: [{ mediaType: ociImage, digest, size: 1 }] };
    await registry.putManifest(repositoryName, "all", index, "application/vnd.oci.image.index.v1+json");
    expect(await call("BatchDeleteImage", { imageIds: [{ imageTag: "v2" }] })).toEqual({
      imageIds: [{ imageDigest: digest, imageTag: "v2" }],
      failures: [],
    });
    expect((await call("BatchDeleteImage", { imageIds: [{ imageDigest: digest }] })).failures).toMatchObject([
      { failureCode: "ImageReferencedByManifestList" },
    ]);
    await call("BatchDeleteImage", { imageIds: [{ imageTag: "all" }, { imageTag: "v1" }] });
    expect(await call("ListImages")).toEqual({ imageIds: [] });
  });

  it("are listed by whether they have tags", async () => {
    const first = await registry.putImage(repositoryName, "v1");
    const second = await registry.putImage(repositoryName, "v1", { layers: ["other"] });
    expect(await call("ListImages", { filter: { tagStatus: "UNTAGGED" } })).toEqual({ imageIds: [{ imageDigest: first }] });
    expect(await call("ListImages", { filter: { tagStatus: "TAGGED" } })).toEqual({ imageIds: [{ imageDigest: second, imageTag: "v1" }] });
    const page = await call("ListImages", { maxResults: 1 });
    expect((await call("ListImages", { maxResults: 1, nextToken: page.nextToken })).imageIds).toHaveLength(1);
  });
});

describe("layers in parts", () => {
  const part = (uploadId: string, first: number, content: Buffer) =>
    call("UploadLayerPart", {
      uploadId,
      partFirstByte: first,
      partLastByte: first + content.length - 1,
      layerPartBlob: content.toString("base64"),
    });
  const mib = 1 << 20;

  it("are put together, and had by an address that needs no login", async () => {
    const { uploadId, partSize } = await call("InitiateLayerUpload");
    expect(partSize).toBe(10 * mib);
    const content = Buffer.alloc(6 * mib, "layer");
    expect(await part(uploadId, 0, content.subarray(0, 5 * mib))).toMatchObject({ lastByteReceived: 5 * mib - 1 });
    expect(await part(uploadId, 5 * mib, content.subarray(5 * mib))).toMatchObject({ lastByteReceived: 6 * mib - 1 });
    const digest = sha256(content);
    expect(await call("CompleteLayerUpload", { uploadId, layerDigests: [digest] })).toMatchObject({ layerDigest: digest });
    expect(await call("BatchCheckLayerAvailability", { layerDigests: [digest, sha256("none"), "nonsense"] })).toEqual({
      layers: [
        { layerDigest: digest, layerAvailability: "AVAILABLE", layerSize: 6 * mib },
        { layerDigest: sha256("none"), layerAvailability: "UNAVAILABLE" },
      ],
      failures: [expect.objectContaining({ failureCode: "InvalidLayerDigest" })],
    });
    const { downloadUrl } = await call("GetDownloadUrlForLayer", { layerDigest: digest });
    expect(sha256(Buffer.from(await (await fetch(downloadUrl)).arrayBuffer()))).toBe(digest);
  });

  it("are refused when a part is missing, too large, or too small to be in the middle", async () => {
    const { uploadId } = await call("InitiateLayerUpload");
    const refusal = async (answer: Promise<Record<string, unknown>>) => (await answer)["__type"];
    expect(await refusal(part("nothing", 0, Buffer.from("x")))).toBe("UploadNotFoundException");
    expect(await refusal(part(uploadId, 5, Buffer.from("x")))).toBe("InvalidLayerPartException");
    expect(await refusal(part(uploadId, 0, Buffer.alloc(10 * mib + 1)))).toBe("InvalidParameterException");
    expect(await refusal(call("CompleteLayerUpload", { uploadId, layerDigests: [sha256("")] }))).toBe("EmptyUploadException");
    await part(uploadId, 0, Buffer.from("x"));
    expect(await refusal(part(uploadId, 1, Buffer.from("y")))).toBe("LayerPartTooSmallException");
    expect(await refusal(call("CompleteLayerUpload", { uploadId, layerDigests: [sha256("y")] }))).toBe("InvalidLayerException");
    await registry.putBlob(repositoryName, "there");
    const again = await call("InitiateLayerUpload");
    await part(again.uploadId, 0, Buffer.from("there"));
    expect(await refusal(call("CompleteLayerUpload", { uploadId: again.uploadId, layerDigests: [sha256("there")] }))).toBe(
      "LayerAlreadyExistsException",
    );
    expect(await refusal(call("GetDownloadUrlForLayer", { layerDigest: sha256("none") }))).toBe("LayersNotFoundException");
  });
});

const hasAwsCli = await requireProgram("aws", ["--version"], "the AWS CLI against the emulated Amazon ECR");

describe.skipIf(!hasAwsCli)("the AWS CLI", () => {
  it("gets a password that the registry takes", { timeout: 60_000 }, async () => {
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
      AWS_DEFAULT_REGION: "us-east-1",
    };
    const { stdout } = await promisify(execFile)("aws", ["--endpoint-url", registry.url, "ecr", "get-login-password"], { env });
    const authorization = `Basic ${Buffer.from(`AWS:${stdout.trim()}`).toString("base64")}`;
    expect((await fetch(`${registry.url}/v2/`, { headers: { Authorization: authorization } })).status).toBe(200);
  });
});
