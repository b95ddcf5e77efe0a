/** A broker as people are told of it: without who logs in there. */
export function brokerName(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
