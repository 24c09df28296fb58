/**
 * The suites of the table and the store against Amazon's DynamoDB Local, a second opinion beside dynoxide. Needs Java 17 and Linux'
 * network namespaces. Usage: npm run test:dynamodb-local
 */
import { startDynamoDbLocal } from "../local/dynamodb/dynamodb-local.ts";
import { missing, runTests } from "./emulators/run-tests.ts";

const files = [
  "test/aws/dynamodb-table.test.ts",
  "test/store/store.test.ts",
  "test/store/model/model.test.ts",
  "test/local/dispatcher/stream.test.ts",
];

const engine = await startDynamoDbLocal(undefined);
if (typeof engine === "string") missing("test:dynamodb-local", engine);
console.log(`DynamoDB Local answers at ${engine.endpoint}`);
try {
  process.exitCode = await runTests(files, { TEST_DYNAMODB_ENDPOINT: engine.endpoint });
} finally {
  await engine.stop();
}
