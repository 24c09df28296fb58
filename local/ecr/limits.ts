/**
 * Amazon ECR's quotas as its documentation lists them.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
 */
const mib = 1_024 * 1_024;

export const limits = {
  manifestBytes: 4 * mib,
  /** A part of `UploadLayerPart`; the last one may be smaller. Layers that come by the registry's own protocol have no parts. */
  layerPartBytes: { min: 5 * mib, max: 10 * mib },
  tagLength: 300,
  tagsPerImage: 1_000,
  /** Images or layers in one call. */
  idsPerCall: 100,
  pageSize: 1_000,
  tokenMs: 12 * 60 * 60_000,
  /** A layer that was begun and not completed is forgotten after this. */
  uploadMs: 24 * 60 * 60_000,
} as const;
