import type { Config } from "./options.ts";

/** Whether HTTP listens at all, with TLS or without. */
export const servesHttp = ({ http }: Config): boolean =>
  http.listen !== "" || http.tls.listen !== "";
