/** Runs one of checks.js' functions in Node: node checks.mjs NAME ARGUMENTS.json; prints JSON. */
import fs from "node:fs";
import path from "node:path";
import { built, bytes, host } from "./host.mjs";

const [name, file] = process.argv.slice(2);
host();
importScripts(path.resolve(import.meta.dirname, "checks.js"));
const build = AsmnetLiteRt.build();
const given = JSON.parse(fs.readFileSync(file, "utf8"));
for (const key of ["file", "inputs", "data", "model", "detector"]) {
  given[key] &&= bytes(given[key]);
}
const answer = await checks[name]({ ...given, litert: `${built}/litert/`,
  loader: { wasmBinary: bytes(path.join(built, `litert/${build}.wasm`)) } });
const result = ArrayBuffer.isView(answer) ? [...answer] : answer;
fs.writeSync(1, JSON.stringify(result));
process.exit(0);
