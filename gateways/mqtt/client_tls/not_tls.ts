/** A client does not speak TLS where TLS is spoken. */
export class NotTls extends Error {
  override readonly name = "NotTls";

  constructor() {
    super("the client does not speak TLS");
  }
}
