/**
 * The dashboard where accounts are required, in a browser.
 *
 * @module
 */
import assert from "node:assert/strict";
import { launch } from "puppeteer-core";
import { findProgram, testWith } from "../../gateways/testing/programs.ts";
import { addAccount, adminPassword, login } from "../support/accounts.ts";
import { startSluice } from "../support/sluice.ts";

testWith(["chromium"], "the dashboard asks for a login, and shows nothing before", async () => {
  await using sluice = await startSluice({ config: { auth: { required: true } } });
  const password = await adminPassword(sluice);
  const browser = await launch({ executablePath: findProgram("chromium"), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(sluice.httpUrl);
    await page.waitForSelector("#login:not([hidden])");
    assert.equal(await page.$eval("#tiles", (tiles) => tiles.childElementCount), 0);
    assert.ok(await page.$("#reasons[hidden]"));
    const panels = () => page.$$eval("section", (all) => all.map(({ hidden }) => hidden).join());
    assert.match(await panels(), /^(true,?)+$/);

    const logIn = async (secret: string): Promise<void> => {
      await page.type("#login [name=name]", "admin");
      await page.type("#login [name=password]", secret);
      await page.click("#login button");
    };
    await logIn("wrong");
    await page.waitForFunction('document.querySelector("#login-failed").textContent !== ""');
    await page.evaluate('document.querySelector("#login").reset()');
    await logIn(password);
    await page.waitForSelector("#login[hidden]");
    await page.waitForSelector("#tiles .tile");
    assert.match(await panels(), /^(false,?)+$/);
    // The token is out of the page's reach.
    assert.equal(await page.evaluate("document.cookie + localStorage.length"), "0");
    const cookies = await browser.cookies();
    const session = cookies.find(({ name }) => name === "sluice_session");
    assert.equal(session?.httpOnly, true);
    assert.equal(session?.sameSite, "Strict");

    // A device sees nothing of this, and may give way to somebody who does.
    const admin = await login(sluice.httpUrl, "admin", password);
    const secret = await addAccount(sluice.httpUrl, admin, { name: "meter", kind: "device" });
    const token = await login(sluice.httpUrl, "meter", secret);
    await browser.setCookie({ ...session!, value: token });
    await page.waitForSelector("#login:not([hidden])");
    assert.match(await panels(), /^(true,?)+$/);
    assert.match(await page.$eval("#reasons", (text) => text.textContent ?? ""), /meter may not/);
    await logIn(password);
    await page.waitForSelector("#login[hidden]");
  } finally {
    await browser.close();
  }
});
