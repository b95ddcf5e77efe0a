/** A client is not let in with its certificate, or for want of one. */
export class CertificateRefused extends Error {
  override readonly name = "CertificateRefused";
  /** What the client sent: it may hold anything. */
  readonly subject: string | undefined;

  constructor(message: string, subject?: string, options?: ErrorOptions) {
    super(message, options);
    this.subject = subject;
  }
}
