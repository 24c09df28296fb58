/** Who is asking, and may they. Ports; the implementations stand beside this file and in `aws/`. */

/** An authenticated user, in Kubernetes' terms. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymous: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

/** Binnacle's own parts write as these users, so that the log says who did it. */
export const systemUser = (part: string): UserInfo => ({
  username: `system:binnacle:${part}`,
  groups: ["system:masters", "system:authenticated"],
});

/** A user, and for whom the credential was made. */
export interface AuthenticatedUser extends UserInfo {
  /** Those of the audiences asked for that the credential names; absent for credentials that know no audiences. */
  readonly audiences?: readonly string[];
}

export interface AuthenticationRequest {
  readonly headers: Headers;
  readonly cluster: string;
  /** Whom the credential must be for, one of them at least. Default: the API server. */
  readonly audiences?: readonly string[];
}

export interface Authenticator {
  /**
   * @returns the user; undefined when the request carries no credential that this authenticator knows
   * @throws {StatusError} Unauthorized when it carries one that is wrong or expired
   */
  authenticate(request: AuthenticationRequest): Promise<AuthenticatedUser | undefined>;
}

/** What a request wants to do. @see SubjectAccessReview */
export type Attributes =
  | {
      readonly type: "resource";
      readonly verb: string;
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly type: "path"; readonly verb: string; readonly path: string };

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** What a user may do in a namespace, for `kubectl auth can-i --list`. */
export interface Rules {
  readonly resourceRules: readonly {
    readonly verbs: readonly string[];
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly nonResourceRules: readonly { readonly verbs: readonly string[]; readonly nonResourceURLs: readonly string[] }[];
  /** The list does not say everything. */
  readonly incomplete: boolean;
}

export interface Authorizer {
  authorize(user: UserInfo, attributes: Attributes, cluster: string): Promise<Decision>;
  rules(user: UserInfo, namespace: string, cluster: string): Promise<Rules>;
}
