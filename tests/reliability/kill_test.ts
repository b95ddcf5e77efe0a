import assert from "node:assert/strict";
import { startVictoriaMetrics } from "../../gateways/testing/servers.ts";
import { testWith } from "../../gateways/testing/programs.ts";
import { assertConserved, settledBooks, sim, startSluice } from "../support/sluice.ts";

testWith(
  ["victoria-metrics"],
  "kill -9 at 20 random moments under QoS 1 load loses nothing",
  async () => {
    await using store = await startVictoriaMetrics();
    await using sluice = await startSluice({ config: { influx: { url: store.url } } });
    const account = await Deno.makeTempFile();
    try {
      const load = sim([
        "load",
        "--url",
        sluice.mqttUrl,
        "--connections",
        "20",
        "--rate",
        "2000",
        "--duration-s",
        "40",
        "--window",
        "50",
        "--account",
        account,
        "--quiet",
      ]);
      for (let kills = 0; kills < 20; kills++) {
        await new Promise((done) => setTimeout(done, 300 + Math.random() * 1_200));
        await sluice.process.kill();
        await sluice.process.restart();
      }
      const { code, report, stderr } = await load;
      assert.equal(code, 0, `${JSON.stringify(report)} ${stderr}`);
      assertConserved(await settledBooks(sluice.httpUrl));
      const verified = await sim([
        "verify",
        "--account",
        account,
        "--store",
        "victoriametrics",
        "--url",
        store.url,
      ]);
      assert.equal(verified.code, 0, JSON.stringify(verified.report));
    } finally {
      await Deno.remove(account);
    }
  },
);
