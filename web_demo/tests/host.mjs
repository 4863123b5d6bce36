/**
 * The built worker in Node: the little of a browser that it asks for, and its calls as functions.
 *
 *     const call = await host();           // of build/web/site/asmnet
 *     await call("track", { frame: { data, width, height }, seconds: 0, source: "clip" });
 */
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

export const repository = path.resolve(fileURLToPath(import.meta.url), "../../..");
export const built = path.join(repository, "build/web/site/asmnet");

export function host() {
  const waiting = [];
  Object.assign(globalThis, {
    self: globalThis,
    // What LiteRT.js's loader looks for when it finds that it runs in Node.
    require: createRequire(import.meta.url),
    __dirname: path.join(built, "litert"),
    importScripts(...files) {
      for (const file of files) {
        const place = path.resolve(built, file);
        vm.runInThisContext(fs.readFileSync(place, "utf8"), { filename: place });
      }
    },
    postMessage: (message) => waiting.shift()(message),
  });
  importScripts("worker.js");
  return (call, parameters = {}) => new Promise((resolve, reject) => {
    waiting.push(({ answer, error, fatal }) => (error === undefined ? resolve(answer)
      : reject(Object.assign(new Error(error), { fatal }))));
    self.onmessage({ data: { call, ...parameters } });
  });
}

/** Opens a model in the worker, with the shipped detector, or with both. */
export async function open(call, model, name, maxFaces = 2, detector = null, turned = false) {
  const build = AsmnetLiteRt.build();
  await call("load", { litert: `${built}/litert/`,
    loader: { wasmBinary: build && bytes(path.join(built, `litert/${build}.wasm`)) } });
  return call("open", {
    model, name, maxFaces,
    detector: detector ?? bytes(path.join(repository, "models/face_detection_short_range.tflite")),
    turned: turned ? bytes(path.join(repository, "models/face_detection_yunet.tflite")) : null,
  });
}

export const bytes = (file) => new Uint8Array(fs.readFileSync(file));
