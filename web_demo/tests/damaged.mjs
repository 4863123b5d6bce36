/**
 * Opens damaged and foreign models, each in a worker of its own as the page does, and prints what
 * was said of each: node damaged.mjs MODEL COUNT
 */
import fs from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { bytes, host, open } from "./host.mjs";

/** A small generator, so that each run tries the same files. */
function* numbers(seed) {
  for (;;) {
    seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
    yield seed / 2 ** 32;
  }
}

function damage(whole, n) {
  const random = numbers(n + 1);
  const any = (most) => Math.floor(random.next().value * most);
  const file = whole.slice(0, n % 5 === 0 ? any(whole.length) : whole.length);
  const places = n % 5 === 1 ? [file.length - 1 - any(9000)] : n % 5 === 2 ? [any(200)]
    : Array.from({ length: 1 + any(50) }, () => any(file.length));
  for (const place of places) {
    file[place] = any(256);
  }
  return n % 50 === 3 ? new Uint8Array(any(400)).map(() => any(256)) : file;
}

if (isMainThread) {
  const [model, count] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url), { workerData: { model, count: Number(count) } });
  worker.on("message", (lines) => fs.writeSync(1, JSON.stringify(lines)));
} else {
  const whole = bytes(workerData.model);
  const call = host();
  const lines = [];
  for (let n = 0; n < workerData.count; n++) {
    const file = damage(whole, n);
    const same = file.length === whole.length && file.every((byte, i) => byte === whole[i]);
    if (!same) {
      lines.push(await open(call, file, "dropped.tflite").then(() => "opened", (e) => e.message));
    }
  }
  parentPort.postMessage(lines);
}
