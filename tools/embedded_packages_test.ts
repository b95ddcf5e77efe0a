import assert from "node:assert/strict";
import { leftOut, neededPackages } from "./embedded_packages.ts";

const npm = (name: string, version: string, ...dependencies: string[]) =>
  [`${name}@${version}`, { name, version, dependencies }] as const;
const npmPackages = Object.fromEntries([
  npm("mqtt", "5.0.0", "@types/ws@8.0.0", "bl@6.0.0"),
  npm("bl", "6.0.0", "mqtt@5.0.0"),
  npm("@types/ws", "8.0.0", "@types/node@26.0.0"),
  npm("@types/node", "26.0.0"),
  npm("@scope/client", "1.0.0"),
  npm("fast-check", "4.0.0", "pure-rand@8.0.0"),
  npm("pure-rand", "8.0.0"),
]);

Deno.test("needed is what the modules of any graph import, with its dependencies, without types", () => {
  const main = { modules: [{}, { npmPackage: "mqtt@5.0.0" }], npmPackages };
  const worker = { modules: [{ npmPackage: "@scope/client@1.0.0" }], npmPackages };
  assert.deepEqual(
    neededPackages([main, worker]),
    new Set(["mqtt@5.0.0", "bl@6.0.0", "@scope/client@1.0.0"]),
  );
  assert.throws(
    () => neededPackages([{ modules: [{ npmPackage: "gone@1.0.0" }], npmPackages }]),
    /says nothing of the package gone@1\.0\.0/,
  );
});

Deno.test("left out are the folders of all other packages, and what links to them", () => {
  const installed = [
    "mqtt@5.0.0",
    "@scope+client@1.0.0",
    "@types+ws@8.0.0",
    "bl@5.0.0",
    "bl@6.0.0",
  ];
  assert.deepEqual(
    leftOut(
      [...installed, "bl@6.0.0_1"],
      new Set(["mqtt@5.0.0", "bl@6.0.0", "@scope/client@1.0.0"]),
    ),
    [
      ".deno/@types+ws@8.0.0",
      "@types/ws",
      ".deno/node_modules/@types/ws",
      ".deno/bl@5.0.0",
    ],
  );
});
