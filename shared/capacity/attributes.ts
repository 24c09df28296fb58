/** Attributes of container instances: those that Amazon ECS sets, and ours, which user data passes in `ECS_INSTANCE_ATTRIBUTES`. */

export const zoneAttribute = "ecs.availability-zone";
export const instanceTypeAttribute = "ecs.instance-type";
/** `x86_64` or `arm64`. */
export const architectureAttribute = "ecs.cpu-architecture";
/** `linux` or `windows`. */
export const osAttribute = "ecs.os-type";
export const imageIdAttribute = "ecs.ami-id";
/** Present when tasks get branches of a trunk interface. */
export const trunkAttribute = "ecs.awsvpc-trunk-id";

/** The machine's own address: the Node's InternalIP and its Pods' hostIP; also names the Node (`ip-10-0-0-11`). */
export const internalIpAttribute = "binnacle.dev/internal-ip";
/** Disk for containers, in GiB. */
export const diskGibAttribute = "binnacle.dev/disk-gib";
/** Tasks that can stand on the machine at once, where that is not what its type says (ECS Anywhere, simulated machines). */
export const podSlotsAttribute = "binnacle.dev/pod-slots";
/** `binnacle.dev/label/<key>`: a label of the Node. */
export const labelAttributePrefix = "binnacle.dev/label/";
/** `binnacle.dev/taint/<key>`, value `<value>:<effect>`: a taint that the Node is registered with. */
export const taintAttributePrefix = "binnacle.dev/taint/";

/** A Node's annotation: ARN of its container instance. Only Nodes that carry it are ours. */
export const containerInstanceAnnotation = "binnacle.dev/container-instance";
