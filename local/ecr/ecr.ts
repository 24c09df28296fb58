/** Amazon ECR over its own protocol: repositories, images and layers. Docker's clients speak the other one, in `distribution/`. */
import type { Account } from "../account.ts";
import { stringMember, stringsMember } from "../wire/input.ts";
import type { JsonService } from "../wire/server.ts";
import { ServiceError } from "../wire/service-error.ts";
import { imageOperations } from "./operations/images.ts";
import { layerOperations } from "./operations/layers.ts";
import { namedIn } from "./operations/named.ts";
import { page } from "./paging.ts";
import type { Registry } from "./registry.ts";
import type { Repository } from "./repositories.ts";
import { registryUser } from "./tokens.ts";

export interface EcrOptions {
  readonly registry: Registry;
  readonly account: Account;
  /** Where the registry listens: `http://127.0.0.1:PORT`. */
  readonly url: () => string;
}

export function ecr({ registry, account, url }: EcrOptions): JsonService {
  const { repositories, images, tokens } = registry;
  const describe = (repository: Repository) => repositories.describe(repository, new URL(url()).host);
  const named = namedIn(repositories, account);
  return {
    target: "AmazonEC2ContainerRegistry_V20150921",
    operations: {
      GetAuthorizationToken() {
        const { password, expiresAt } = tokens.issue();
        return {
          authorizationData: [
            {
              authorizationToken: Buffer.from(`${registryUser}:${password}`).toString("base64"),
              expiresAt: expiresAt.getTime() / 1_000,
              proxyEndpoint: url(),
            },
          ],
        };
      },
      DescribeRegistry: () => ({ registryId: account.accountId, replicationConfiguration: { rules: [] } }),
      CreateRepository(input) {
        const mutability = stringMember(input, "imageTagMutability") ?? "MUTABLE";
        return { repository: describe(repositories.create(stringMember(input, "repositoryName") ?? "", mutability)) };
      },
      DescribeRepositories(input) {
        const names = stringsMember(input, "repositoryNames");
        if (names) return { repositories: names.map((name) => describe(repositories.get(name))) };
        const { items, nextToken } = page(repositories.all(), input);
        return { repositories: items.map(describe), ...(nextToken && { nextToken }) };
      },
      PutImageTagMutability(input) {
        const { registryId, repositoryName, imageTagMutability } = repositories.setMutability(
          named(input),
          stringMember(input, "imageTagMutability") ?? "",
        );
        return { registryId, repositoryName, imageTagMutability };
      },
      DeleteRepository(input) {
        const repository = named(input);
        if (input.force !== true && images.all(repository).length > 0) {
          const { repositoryName, registryId } = repository;
          throw new ServiceError(
            "RepositoryNotEmptyException",
            `The repository with name '${repositoryName}' in registry with id '${registryId}' cannot be deleted because it still contains images`,
          );
        }
        images.removeAll(repository);
        repositories.remove(repository);
        return { repository: describe(repository) };
      },
      ...imageOperations(registry, named),
      ...layerOperations(registry, named, url),
    },
  };
}
