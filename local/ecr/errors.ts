/** What Amazon ECR refuses, in its own exceptions; the registry's protocol tells the same ones in its own codes. */
import { ServiceError } from "../wire/service-error.ts";

export const invalidParameter = (parameter: string, constraint: string): ServiceError =>
  new ServiceError("InvalidParameterException", `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`);

/** Something in a repository that is not there, or is there already. */
export const refused = (type: string, what: string, { repositoryName, registryId }: Place): ServiceError =>
  new ServiceError(type, `${what} the repository with name '${repositoryName}' in the registry with id '${registryId}'`);

export interface Place {
  readonly repositoryName: string;
  readonly registryId: string;
}
