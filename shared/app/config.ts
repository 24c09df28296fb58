/** The deployment's settings: read from the environment once, checked, passed on. */
import { isAbsolute } from "node:path";

export interface Config {
  /** DynamoDB table. */
  readonly tableName: string;
  /** Name of the deployment: prefixes ECS clusters, families, log groups. */
  readonly deployment: string;
  /** awslogs group of a deployment's Pods. */
  readonly podLogGroup: string;
  readonly region: string;
  /** Where Pods' network interfaces stand: subnet ids by availability zone. */
  readonly podSubnetsByZone: Readonly<Record<string, readonly string[]>>;
  readonly podSecurityGroups: readonly string[];
  readonly executionRoleArn: string | undefined;
  readonly podRoleArn: string | undefined;
  /** ARN of a consumer's function without its name: `arn:aws:lambda:REGION:ACCOUNT:function:binnacle-`. */
  readonly functionArnPrefix: string;
  /** EventBridge Scheduler group for one-shot wake-ups, and the role it starts functions with. */
  readonly scheduleGroup: string;
  readonly schedulerRoleArn: string;
  /** `helped`: something beside the containers runs probes, fills volumes and so on (`kubelet/engine-features.ts`). `bare`: ECS alone. */
  readonly podFeatures: "bare" | "helped";
  /** SHA-256 (hex) of bearer tokens that are cluster administrators. Local mode uses one. */
  readonly adminTokenSha256: readonly string[];
  /** What clients should connect to, as `kubectl cluster-info` and in-cluster clients see it. */
  readonly publicUrl: string | undefined;
  /** Where `default/kubernetes` leads. Endpoints can name addresses only: anything else becomes a placeholder there. */
  readonly endpointUrl: string | undefined;
  /** Where ServiceAccount tokens of the first cluster say that they come from; others have `/clusters/NAME` after it. An https URL. */
  readonly tokenIssuer: string;
  /** `HOST:PORT` at which containers of the first cluster reach the API; undefined where they cannot. */
  readonly podApiAddress: string | undefined;
  /** PEM of the CA that signs the API's certificate: published as `kube-root-ca.crt`. */
  readonly apiCa: string | undefined;
  /** What a user can do while there is no node: `add one with …`. Stands in the event of Pods that wait. */
  readonly adviceWithoutNodes: string | undefined;
  /** The local provisioner also serves storage classes that nobody here is named for. */
  readonly provisionAny: boolean;
  /** Where the local provisioner's volumes are on a Node's disk. */
  readonly volumeFolder: string;
  /** Watches that one user may have open in one cluster at a time. */
  readonly maxOpenWatches: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** A setting is missing or wrong; the message names the variable and says what it must be. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** One element of `BINNACLE_POD_SUBNETS`. */
interface PodSubnet {
  readonly zone: string;
  readonly subnet: string;
}

const byZone = (subnets: readonly PodSubnet[]): Record<string, string[]> => {
  const found: Record<string, string[]> = {};
  for (const { zone, subnet } of subnets) (found[zone] ??= []).push(subnet);
  return found;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {ConfigError} naming every variable that is missing or malformed */
export function readConfig(env: Environment): Config {
  const problems: string[] = [];
  const required = (name: string): string => {
    const value = env[name];
    if (!value) problems.push(`${name} is not set`);
    return value ?? "";
  };
  const json = <T>(name: string, fallback: T): T => {
    const value = env[name];
    if (!value) return fallback;
    try {
      return JSON.parse(value);
    } catch {
      problems.push(`${name} must be JSON`);
      return fallback;
    }
  };
  const level = env.BINNACLE_LOG_LEVEL ?? "info";
  if (!["debug", "info", "warn", "error"].includes(level)) problems.push("BINNACLE_LOG_LEVEL must be debug, info, warn or error");
  const podFeatures = env.BINNACLE_POD_FEATURES ?? "bare";
  if (!["bare", "helped"].includes(podFeatures)) problems.push("BINNACLE_POD_FEATURES must be bare or helped");
  const provisionAny = env.BINNACLE_PROVISION_ANY ?? "false";
  if (!["true", "false"].includes(provisionAny)) problems.push("BINNACLE_PROVISION_ANY must be true or false");
  const deployment = env.BINNACLE_DEPLOYMENT ?? "binnacle";
  const config: Config = {
    tableName: required("BINNACLE_TABLE"),
    deployment,
    podLogGroup: env.BINNACLE_POD_LOG_GROUP ?? `/${deployment}/pods`,
    region: required("AWS_REGION"),
    podSubnetsByZone: byZone(json<readonly PodSubnet[]>("BINNACLE_POD_SUBNETS", [])),
    podSecurityGroups: json("BINNACLE_POD_SECURITY_GROUPS", []),
    executionRoleArn: env.BINNACLE_EXECUTION_ROLE_ARN,
    podRoleArn: env.BINNACLE_POD_ROLE_ARN,
    functionArnPrefix: env.BINNACLE_FUNCTION_ARN_PREFIX ?? "",
    scheduleGroup: env.BINNACLE_SCHEDULE_GROUP ?? "",
    schedulerRoleArn: env.BINNACLE_SCHEDULER_ROLE_ARN ?? "",
    podFeatures: podFeatures as Config["podFeatures"],
    adminTokenSha256: json("BINNACLE_ADMIN_TOKENS_SHA256", []),
    publicUrl: env.BINNACLE_PUBLIC_URL,
    endpointUrl: env.BINNACLE_ENDPOINT_URL ?? env.BINNACLE_PUBLIC_URL,
    tokenIssuer: env.BINNACLE_TOKEN_ISSUER ?? "https://kubernetes.default.svc.cluster.local",
    podApiAddress: env.BINNACLE_POD_API_ADDRESS,
    apiCa: env.BINNACLE_API_CA,
    adviceWithoutNodes: env.BINNACLE_ADVICE_WITHOUT_NODES,
    provisionAny: provisionAny === "true",
    volumeFolder: env.BINNACLE_VOLUME_FOLDER ?? "/var/lib/binnacle/volumes",
    maxOpenWatches: Number(env.BINNACLE_MAX_OPEN_WATCHES ?? 200),
    logLevel: level as Config["logLevel"],
  };
  if (!/^https:\/\/[^?#]+$/.test(config.tokenIssuer))
    problems.push("BINNACLE_TOKEN_ISSUER must be an https URL without query and fragment");
  if (!isAbsolute(config.volumeFolder)) problems.push("BINNACLE_VOLUME_FOLDER must be an absolute path");
  if (!Number.isInteger(config.maxOpenWatches) || config.maxOpenWatches < 1)
    problems.push("BINNACLE_MAX_OPEN_WATCHES must be a positive integer");
  if (problems.length > 0) throw new ConfigError(`configuration: ${problems.join("; ")}`);
  return config;
}
