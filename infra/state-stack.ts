/** What must outlive every deployment: the table. Its logical id and stream view never change (tests pin them). */
import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { AttributeType, Billing, StreamViewType, TableEncryptionV2, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";

export interface StateStackProps extends StackProps {
  /** Name of the deployment. */
  readonly deployment: string;
}

/** SSM parameters by which the stateless stack finds the table: no CloudFormation export ties the two together. */
export const parameterNames = (deployment: string) => ({
  tableName: `/binnacle/${deployment}/table-name`,
  tableArn: `/binnacle/${deployment}/table-arn`,
  streamArn: `/binnacle/${deployment}/stream-arn`,
});

export class StateStack extends Stack {
  constructor(scope: Construct, id: string, props: StateStackProps) {
    super(scope, id, props);
    const table = new TableV2(this, "Table", {
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      billing: Billing.onDemand(),
      dynamoStream: StreamViewType.NEW_IMAGE,
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const names = parameterNames(props.deployment);
    new StringParameter(this, "TableName", { parameterName: names.tableName, stringValue: table.tableName });
    new StringParameter(this, "TableArn", { parameterName: names.tableArn, stringValue: table.tableArn });
    new StringParameter(this, "StreamArn", { parameterName: names.streamArn, stringValue: table.tableStreamArn ?? "" });
  }
}
