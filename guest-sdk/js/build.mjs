// Makes a component of a module: node build.mjs --source FILE --wit DIR --work DIR --out FILE --esbuild PROGRAM --componentize-qjs PROGRAM
//
// 1. esbuild makes one file of the module, the SDK and what the module imports from npm, and takes the types off TypeScript.
// 2. componentize-qjs makes a component of it that has the engine inside.
// 3. Integers of 64 bits. The engine's bindings carry them as numbers, which are exact up to 2^53. So the component is built for
//    a contract whose values have two halves of 32 bits in the place of an integer, which lie in memory just as it does; then
//    the component's type gets its integer back. Values of attributes always cross in memory, never as parameters, so that
//    nothing else changes; the host checks the type as that of any component.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const WORLD = "everything";
/** The case of `scalar` and of `value`, in the contract and in the one that is built for. */
const INTEGER = "integer(s64)";
const HALVES = "integer(tuple<s32, s32>)";
/** Sections of a component: one that it holds, and types. */
const COMPONENT = 4;
const TYPES = 7;
const S64 = 0x78;

const names = ["source", "wit", "work", "out", "esbuild", "componentize-qjs"];
const { values: given } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
for (const name of names) if (!given[name]) fail(`--${name} is missing`);
const sdk = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

const bundle = join(given.work, "module.js");
const built = join(given.work, "built.wasm");
makeBundle();
makeComponent(contractWithHalves());
writeFileSync(given.out, withIntegers(readFileSync(built)));

function makeBundle() {
  const entry = join(given.work, "entry.js");
  writeFileSync(
    entry,
    `import { serve } from "tenter/entry";
import definition from ${JSON.stringify(resolve(given.source))};
export const { module, ingest, snapshot, update, schedule, cases } = serve(definition);
`,
  );
  run(given.esbuild, [
    entry, "--bundle", "--format=esm", "--platform=neutral", "--main-fields=module,main", "--conditions=import", "--target=es2023",
    "--charset=utf8", "--log-level=warning", `--alias:tenter=${join(sdk, "src/index.js")}`,
    `--alias:tenter/entry=${join(sdk, "src/entry.js")}`, "--external:tenter:hooks/*", `--outfile=${bundle}`,
  ]);
}

/** A copy of the contract; returns its folder. */
function contractWithHalves() {
  const folder = join(given.work, "wit");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let changed = 0;
  for (const file of readdirSync(given.wit).filter((name) => name.endsWith(".wit"))) {
    copyFileSync(join(given.wit, file), join(folder, file));
    const text = readFileSync(join(folder, file), "utf8");
    changed += text.split(INTEGER).length - 1;
    writeFileSync(join(folder, file), text.replaceAll(INTEGER, HALVES));
  }
  if (changed !== 2) fail(`the contract in ${given.wit} has ${changed} cases \`${INTEGER}\`; expected those of \`scalar\` and \`value\``);
  return folder;
}

/** `--sync`: hosts may not have asynchronous calls. `--stub-wasi`: a module is not given WASI, and the SDK needs none of it. */
function makeComponent(wit) {
  run(given["componentize-qjs"], ["--wit", wit, "--js", bundle, "--world", WORLD, "--stub-wasi", "--sync", "--output", built]);
}

/** The component with `integer: s64` in its types, where the build had a pair. */
function withIntegers(bytes) {
  if (retyped(bytes, 0, bytes.length) < 2) fail("the component declares its integers in an unknown way; use componentize-qjs 0.4.5");
  return bytes;
}

/** Retypes what a component from `at` to `end` declares, also in components that it holds; returns how many cases that were. */
function retyped(bytes, at, end) {
  const label = Buffer.from("\x07integer\x01", "latin1");
  let changed = 0;
  for (at += 8; at < end; ) {
    const section = bytes[at];
    let size = 0;
    let shift = 0;
    do size += (bytes[++at] & 0x7f) * 2 ** shift, (shift += 7);
    while (bytes[at] & 0x80);
    const next = ++at + size;
    if (section === COMPONENT) changed += retyped(bytes, at, next);
    // A case is its label, that it has a type, the type, and that it refines nothing. Indices below 64 are one byte, as s64 is.
    while (section === TYPES && (at = bytes.indexOf(label, at)) >= 0 && at < next) {
      at += label.length;
      if (bytes[at] < 0x40 && bytes[at + 1] === 0) {
        bytes[at] = S64;
        changed++;
      }
    }
    at = next;
  }
  return changed;
}

/** Runs a program; scripts of Node.js run in this one. */
function run(program, args) {
  const script = [".js", ".mjs", ".cjs"].includes(extname(program));
  const done = spawnSync(script ? process.execPath : program, script ? [program, ...args] : args, { encoding: "utf8" });
  if (done.error) fail(`cannot run ${program}: ${done.error.message}`);
  if (done.status === 0) return;
  process.stderr.write(done.stdout + done.stderr);
  process.exit(done.status ?? 1);
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}
