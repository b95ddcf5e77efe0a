/**
 * A network that a test cuts.
 *
 * @module
 */

/** A TCP relay in front of the service. */
export class Network implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>;
  #up = true;

  constructor(readonly target: number) {
    this.#running = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  cut(): void {
    this.#up = false;
    for (const connection of this.#open) this.#drop(connection);
  }

  restore(): void {
    this.#up = true;
  }

  async #accept(): Promise<void> {
    const relays: Promise<void>[] = [];
    try {
      for await (const near of this.#listener) {
        if (this.#up) relays.push(this.#relay(near));
        else near.close();
      }
    } finally {
      await Promise.all(relays);
    }
  }

  async #relay(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    try {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.add(far);
      if (!this.#up) this.#drop(far);
      await Promise.allSettled([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
      this.#open.delete(far);
    } catch {
      this.#drop(near); // The service is away: so is what lies behind the network.
    }
    this.#open.delete(near);
  }

  #drop(connection: Deno.TcpConn): void {
    this.#open.delete(connection);
    try {
      connection.close();
    } catch {
      // It has ended by itself.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await this.#running;
  }
}
