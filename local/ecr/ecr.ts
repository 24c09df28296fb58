/** The basics of Amazon ECR: repositories. There is no registry behind them yet, so they have no images. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import type { Records } from "../state/records.ts";
import { type Input, stringMember, stringsMember, structuresMember } from "../wire/input.ts";
import type { JsonService } from "../wire/server.ts";
import { ServiceError } from "../wire/service-error.ts";

interface Repository {
  readonly repositoryArn: string;
  readonly registryId: string;
  readonly repositoryName: string;
  readonly repositoryUri: string;
  readonly createdAt: number;
  readonly imageTagMutability: string;
}

export function ecr({
  records,
  account,
  clock,
}: {
  readonly records: Records;
  readonly account: Account;
  readonly clock: Clock;
}): JsonService {
  const repositories = records.all<Repository>("ecr.repository");
  const find = (name: string): Repository => {
    const found = repositories.get(name);
    if (found) return found;
    throw new ServiceError(
      "RepositoryNotFoundException",
      `The repository with name '${name}' does not exist in the registry with id '${account.accountId}'`,
    );
  };
  const named = (input: Input): Repository => find(stringMember(input, "repositoryName") ?? "");
  return {
    target: "AmazonEC2ContainerRegistry_V20150921",
    operations: {
      CreateRepository(input) {
        const name = stringMember(input, "repositoryName") ?? "";
        if (name.length < 2 || name.length > 256 || !/^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/u.test(name)) {
          throw new ServiceError(
            "InvalidParameterException",
            `Invalid parameter at 'repositoryName' failed to satisfy constraint: '${name}'`,
          );
        }
        if (repositories.has(name)) {
          throw new ServiceError(
            "RepositoryAlreadyExistsException",
            `The repository with name '${name}' already exists in the registry with id '${account.accountId}'`,
          );
        }
        const repository: Repository = {
          repositoryArn: arn(account, "ecr", `repository/${name}`),
          registryId: account.accountId,
          repositoryName: name,
          repositoryUri: `${account.accountId}.dkr.ecr.${account.region}.amazonaws.com/${name}`,
          createdAt: clock.now().getTime() / 1_000,
          imageTagMutability: stringMember(input, "imageTagMutability") ?? "MUTABLE",
        };
        records.put("ecr.repository", name, repository);
        repositories.set(name, repository);
        return { repository };
      },
      DescribeRepositories(input) {
        const names = stringsMember(input, "repositoryNames");
        return { repositories: names ? names.map(find) : [...repositories.values()] };
      },
      DeleteRepository(input) {
        const repository = named(input);
        records.delete("ecr.repository", repository.repositoryName);
        repositories.delete(repository.repositoryName);
        return { repository };
      },
      ListImages: (input) => ({ imageIds: named(input) && [] }),
      DescribeImages(input) {
        const { repositoryName, registryId } = named(input);
        if (structuresMember(input, "imageIds")?.length) {
          throw new ServiceError(
            "ImageNotFoundException",
            `The image requested does not exist within the repository with name '${repositoryName}' in the registry with id '${registryId}'`,
          );
        }
        return { imageDetails: [] };
      },
      BatchGetImage: (input) => ({
        images: named(input) && [],
        failures: (structuresMember(input, "imageIds") ?? []).map((imageId) => ({
          imageId,
          failureCode: "ImageNotFound",
          failureReason: "Requested image not found",
        })),
      }),
    },
  };
}
