/** How operations find the repository that they are about. */
import type { Account } from "../../account.ts";
import { type Input, stringMember } from "../../wire/input.ts";
import { ServiceError } from "../../wire/service-error.ts";
import type { Repositories, Repository } from "../repositories.ts";

/** @throws {ServiceError} RepositoryNotFoundException */
export type Named = (input: Input) => Repository;

/** There is one registry, that of the account. */
export const namedIn =
  (repositories: Repositories, account: Account): Named =>
  (input) => {
    const registryId = stringMember(input, "registryId") ?? account.accountId;
    const name = stringMember(input, "repositoryName") ?? "";
    if (registryId === account.accountId) return repositories.get(name);
    throw new ServiceError(
      "RepositoryNotFoundException",
      `The repository with name '${name}' does not exist in the registry with id '${registryId}'`,
    );
  };
