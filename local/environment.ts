/** The environment that the functions see locally: the same variables that the stack sets on AWS, and endpoints that lead nowhere else. */
import { devNull } from "node:os";

/** Environment variables; undefined removes one. */
export type Variables = Readonly<Record<string, string | undefined>>;

export interface EnvironmentOptions {
  readonly region: string;
  /** Of everything but DynamoDB. */
  readonly awsUrl: string;
  readonly dynamoDbEndpoint: string;
  /** The user named the DynamoDB endpoint: it may want the user's credentials. */
  readonly ownDynamoDb: boolean;
  readonly deployment: string;
  readonly tableName: string;
  readonly podLogGroup: string;
  readonly podSubnets: readonly { readonly zone: string; readonly subnet: string }[];
  readonly podSecurityGroups: readonly string[];
  readonly functionArnPrefix: string;
  readonly scheduleGroup: string;
  readonly schedulerRoleArn: string;
  readonly adminTokenSha256: string;
  readonly publicUrl: string;
  /** Where `default/kubernetes` leads. */
  readonly endpointUrl: string;
  /** `HOST:PORT` at which containers reach the API; undefined where there are none. */
  readonly podApiAddress: string | undefined;
  /** PEM. */
  readonly apiCa: string;
  readonly provisionAny: boolean;
  /** Where the local provisioner keeps its volumes. */
  readonly volumeFolder: string;
  readonly logLevel: string;
}

export function localEnvironment(options: EnvironmentOptions, current: Variables): Variables {
  const services = ["ECS", "ECR", "CLOUDWATCH_LOGS", "LAMBDA", "SCHEDULER"];
  return {
    AWS_REGION: options.region,
    // Whatever is not emulated ends here too: no call can reach a real account by mistake.
    AWS_ENDPOINT_URL: options.awsUrl,
    ...Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, options.awsUrl])),
    AWS_ENDPOINT_URL_DYNAMODB: options.dynamoDbEndpoint,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: options.dynamoDbEndpoint,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: undefined,
    ...credentials(options.ownDynamoDb, current),
    BINNACLE_TABLE: options.tableName,
    BINNACLE_DEPLOYMENT: options.deployment,
    BINNACLE_POD_LOG_GROUP: options.podLogGroup,
    BINNACLE_POD_SUBNETS: JSON.stringify(options.podSubnets),
    BINNACLE_POD_SECURITY_GROUPS: JSON.stringify(options.podSecurityGroups),
    BINNACLE_POD_FEATURES: "helped",
    BINNACLE_FUNCTION_ARN_PREFIX: options.functionArnPrefix,
    BINNACLE_SCHEDULE_GROUP: options.scheduleGroup,
    BINNACLE_SCHEDULER_ROLE_ARN: options.schedulerRoleArn,
    BINNACLE_ADMIN_TOKENS_SHA256: JSON.stringify([options.adminTokenSha256]),
    BINNACLE_PUBLIC_URL: options.publicUrl,
    BINNACLE_ENDPOINT_URL: options.endpointUrl,
    BINNACLE_POD_API_ADDRESS: options.podApiAddress,
    BINNACLE_API_CA: options.apiCa,
    BINNACLE_VOLUME_FOLDER: options.volumeFolder,
    BINNACLE_PROVISION_ANY: options.provisionAny ? "true" : undefined,
    BINNACLE_LOG_LEVEL: options.logLevel,
  };
}

/** Credentials that no account knows; the user's own only where the user named the endpoint that gets them. */
function credentials(ownDynamoDb: boolean, current: Variables): Variables {
  if (ownDynamoDb && (current.AWS_ACCESS_KEY_ID || current.AWS_PROFILE)) return {};
  return {
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Changes `process.env`, which the functions read when they are loaded. */
export function apply(variables: Variables): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
