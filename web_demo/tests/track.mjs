/**
 * Tracks faces through PPM pictures from standard input; writes one JSON line a frame.
 *
 *     python android_demo/tests/frames.py | node web_demo/tests/track.mjs MODEL FPS [turned] > lines
 */
import fs from "node:fs";
import path from "node:path";
import { bytes, host, open } from "./host.mjs";

const [model, fps, turned] = process.argv.slice(2);
const call = host();
await open(call, bytes(model), path.basename(model), 2, null, turned === "turned");
let buffer = Buffer.alloc(0);
let index = 0;
const times = [];

async function take() {
  const header = /^P6 (\d+) (\d+) 255\n/.exec(buffer.subarray(0, 40).toString("latin1"));
  const [width, height] = [Number(header?.[1]), Number(header?.[2])];
  const end = header ? header[0].length + 3 * width * height : Infinity;
  if (buffer.length < end) {
    return false;
  }
  const rgb = buffer.subarray(header[0].length, end);
  buffer = buffer.subarray(end);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    data[to] = rgb[from];
    data[to + 1] = rgb[from + 1];
    data[to + 2] = rgb[from + 2];
  }
  const answer = await call("track", {
    frame: { data, width, height }, seconds: index++ / fps, source: "faces.mp4" });
  times.push(answer.times.total);
  fs.writeSync(1, `${JSON.stringify(answer.record)}\n`);
  return true;
}

for await (const chunk of process.stdin) {
  buffer = Buffer.concat([buffer, chunk]);
  while (await take());
}
times.sort((a, b) => a - b);
console.error(`${index} frames, ${times[index >> 1].toFixed(2)} ms a frame (median)`);
process.exit(0); // LiteRT's loader keeps Node alive
