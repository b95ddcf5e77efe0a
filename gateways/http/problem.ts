/**
 * Errors as `application/problem+json` (RFC 9457). The types are stable; programs may rely on them.
 *
 * @module
 */

/** Type → status and title. */
const problems = {
  "invalid-parameter": [400, "A parameter of the query is not valid"],
  "invalid-body": [400, "The body is not valid"],
  "invalid-header": [400, "A header is not valid"],
  "tls-required": [400, "TLS is spoken here"],
  "invalid-topic": [400, "The topic is not valid"],
  "rejected-items": [400, "Some readings were not taken"],
  "unauthorized": [401, "A token is needed"],
  "login-failed": [401, "The login failed"],
  "forbidden": [403, "The account may not do this"],
  "banned": [403, "It is banned for a time"],
  "quota-exceeded": [403, "The account has as much as it may have"],
  "cross-origin": [403, "Another site may not do this"],
  "not-found": [404, "There is no such resource"],
  "method-not-allowed": [405, "The resource does not know this method"],
  "not-acceptable": [406, "The resource has no form that is accepted"],
  "conflict": [409, "The payload names another device than its topic"],
  "not-quarantined": [409, "The device is not quarantined"],
  "last-admin": [409, "The account is the last admin"],
  "account-exists": [409, "There is an account of that name"],
  "head-too-slow": [408, "The head of the request took too long to come"],
  "body-too-slow": [408, "The body took too long to come"],
  "precondition-failed": [412, "The value is not the one that the request is about"],
  "body-too-large": [413, "The body is too large"],
  "unsupported-media-type": [415, "The body has a media type that is not understood"],
  "rejected-reading": [422, "The reading was not taken"],
  "head-too-large": [431, "The head of the request is too large"],
  "upgrade-required": [426, "The resource is a WebSocket"],
  "backpressure": [429, "No more readings can be taken now"],
  "too-many-tries": [429, "Too many tries"],
  "rate-limited": [429, "More was sent than a rate allows"],
  "internal": [500, "Something went wrong inside"],
  "history-damaged": [500, "The file of the embedded store is damaged"],
  "history-elsewhere": [501, "The history is not in the embedded store"],
  "not-ready": [503, "The service is not ready"],
  "not-settled": [503, "The readings are not known to be durable"],
  "version-not-supported": [505, "The version of HTTP is not supported"],
  "unavailable": [503, "A part of the service does not answer now"],
} as const;

export type ProblemType = keyof typeof problems;

export const problemTypes = Object.keys(problems) as readonly ProblemType[];

export const problemStatus = (type: ProblemType): number => problems[type][0];

/** Status → the header without which its answer would not say what to do. */
const headerOf: Readonly<Record<number, string>> = {
  401: "www-authenticate",
  405: "allow",
  426: "upgrade",
  429: "retry-after",
  503: "retry-after",
};

/** Where nobody knows better. */
const retryAfterS = "5";

/** Headers that come with a problem, always. */
export function problemHeaders(type: ProblemType): string[] {
  const header = headerOf[problemStatus(type)];
  return header === undefined ? [] : [header];
}

/** Thrown by a handler to answer with a problem. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly type: ProblemType;
  /** Further members of the answer. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail for people: what was wrong here, and what is allowed. */
  constructor(
    type: ProblemType,
    detail: string,
    members: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.type = type;
    this.members = members;
    this.headers = headers;
  }
}

/** 415 for a media type; `known` are those to send instead. */
export function unknownType(type: string | null | undefined, known: readonly string[]): Problem {
  const list = known.join(", ");
  const detail = `send ${list}, not ${type || "a body without Content-Type"}`;
  return new Problem("unsupported-media-type", detail, {}, { accept: list });
}

/** 415 for a `Content-Encoding`; `known` are those to send instead. */
export function unknownEncoding(encoding: string, known: string): Problem {
  const detail = `Content-Encoding ${encoding} is not understood here; send ${known}`;
  return new Problem("unsupported-media-type", detail, {}, { "accept-encoding": known });
}

/** 412 for a request whose conditions do not hold. */
export function preconditionFailed(): Problem {
  return new Problem(
    "precondition-failed",
    "the value is not as If-Match, If-None-Match or If-Unmodified-Since says; GET tells what it is, " +
      "perhaps what the same request wrote when it was sent before",
  );
}

/** 429 for a sender over its rate; its next message may come after so many ms. */
export function rateLimited(waitMs: number, detail = "it was not taken", members = {}): Problem {
  const after = String(Math.max(1, Math.ceil(waitMs / 1_000)));
  return new Problem("rate-limited", detail, members, { "retry-after": after });
}

/** What a problem says; `body` is JSON. */
export function problemText(
  { type, message, members }: Problem,
): { readonly status: number; readonly title: string; readonly body: string } {
  const [status, title] = problems[type];
  const body = { type: `urn:sluice:problem:${type}`, title, status, detail: message, ...members };
  return { status, title, body: `${JSON.stringify(body)}\n` };
}

/** The answer that a problem is. */
export function problemResponse(problem: Problem): Response {
  const { status, body } = problemText(problem);
  const later = headerOf[status] === "retry-after" ? { "retry-after": retryAfterS } : {};
  return new Response(body, {
    status,
    headers: { ...later, ...problem.headers, "content-type": "application/problem+json" },
  });
}
