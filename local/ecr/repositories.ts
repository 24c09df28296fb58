/** Repositories: their names, where they are, and whether their tags may move. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import type { Records } from "../state/records.ts";
import { ServiceError } from "../wire/service-error.ts";
import { invalidParameter } from "./errors.ts";

export type TagMutability = "MUTABLE" | "IMMUTABLE";

export interface Repository {
  readonly repositoryName: string;
  readonly registryId: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly imageTagMutability: TagMutability;
}

export interface Repositories {
  /** @throws {ServiceError} RepositoryNotFoundException */
  get(name: string): Repository;
  all(): readonly Repository[];
  /** @throws {ServiceError} */
  create(name: string, imageTagMutability: string): Repository;
  setMutability(repository: Repository, imageTagMutability: string): Repository;
  remove(repository: Repository): void;
  /** As the service describes it. @param host of the registry, with its port */
  describe(repository: Repository, host: string): object;
}

const kind = "ecr.repository";
/** Between 2 and 256 characters. */
const nameForm = /^(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/u;

export function createRepositories({
  records,
  account,
  clock,
}: {
  readonly records: Records;
  readonly account: Account;
  readonly clock: Clock;
}): Repositories {
  const repositories = records.all<Repository>(kind);
  const put = (repository: Repository): Repository => {
    records.put(kind, repository.repositoryName, repository);
    repositories.set(repository.repositoryName, repository);
    return repository;
  };
  return {
    get(name) {
      const found = repositories.get(name);
      if (found) return found;
      throw new ServiceError(
        "RepositoryNotFoundException",
        `The repository with name '${name}' does not exist in the registry with id '${account.accountId}'`,
      );
    },
    all: () => [...repositories.values()].toSorted((one, other) => (one.repositoryName < other.repositoryName ? -1 : 1)),
    create(name, imageTagMutability) {
      if (!nameForm.test(name)) throw invalidParameter("repositoryName", name);
      if (repositories.has(name)) {
        throw new ServiceError(
          "RepositoryAlreadyExistsException",
          `The repository with name '${name}' already exists in the registry with id '${account.accountId}'`,
        );
      }
      const createdAt = clock.now().getTime() / 1_000;
      return put({
        repositoryName: name,
        registryId: account.accountId,
        createdAt,
        imageTagMutability: mutability(imageTagMutability),
      });
    },
    setMutability: (repository, imageTagMutability) => put({ ...repository, imageTagMutability: mutability(imageTagMutability) }),
    remove({ repositoryName }) {
      records.delete(kind, repositoryName);
      repositories.delete(repositoryName);
    },
    describe: ({ repositoryName, registryId, createdAt, imageTagMutability }, host) => ({
      repositoryArn: arn(account, "ecr", `repository/${repositoryName}`),
      registryId,
      repositoryName,
      repositoryUri: `${host}/${repositoryName}`,
      createdAt,
      imageTagMutability,
      encryptionConfiguration: { encryptionType: "AES256" },
    }),
  };
}

function mutability(text: string): TagMutability {
  if (text === "MUTABLE" || text === "IMMUTABLE") return text;
  throw invalidParameter("imageTagMutability", "Member must satisfy enum value set: [MUTABLE, IMMUTABLE]");
}
