/** Amazon ECS' exceptions. */
import { ServiceError } from "../wire/service-error.ts";

export const clientException = (message: string) => new ServiceError("ClientException", message);
export const invalidParameter = (message: string) => new ServiceError("InvalidParameterException", message);
export const clusterNotFound = () => new ServiceError("ClusterNotFoundException", "Cluster not found.");
export const conflict = (message: string) => new ServiceError("ConflictException", message);
