/**
 * The suites of the table, the store and the Amazon ECS adapter against a LocalStack that is running already (or anything else that
 * serves both). Needs AWS_ENDPOINT_URL; credentials come from the environment or are made up. Usage: npm run test:localstack
 */
import { missing, runTests } from "./emulators/run-tests.ts";

const command = "test:localstack";
const endpoint = process.env.AWS_ENDPOINT_URL;
if (!endpoint) missing(command, "AWS_ENDPOINT_URL names no endpoint (LocalStack's is http://localhost.localstack.cloud:4566)");

const services = await fetch(new URL("/_localstack/health", endpoint), { signal: AbortSignal.timeout(10_000) })
  .then(async (response) => ((await response.json()) as { services?: Record<string, string> }).services)
  .catch((error: unknown) => missing(command, `${endpoint} does not answer as LocalStack does (${String(error)})`));
const serves = (name: string) => ["available", "running"].includes(services?.[name] ?? "");
if (!serves("dynamodb")) missing(command, `the LocalStack at ${endpoint} does not serve DynamoDB`);

let code = await runTests(["test/aws/dynamodb-table.test.ts", "test/store/store.test.ts"], { TEST_DYNAMODB_ENDPOINT: endpoint });
if (!serves("ecs") || !serves("ec2")) missing(command, `the LocalStack at ${endpoint} serves no Amazon ECS, which is in its paid plans`);
code ||= await runTests(["test/aws/ecs-endpoint.test.ts"], { TEST_ECS_ENDPOINT: endpoint });
process.exitCode = code;
