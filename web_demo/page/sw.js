/** The page offline: its files are kept at the first visit, and all other files when first used. */
"use strict";

importScripts("files.js"); // VERSION, FILES
importScripts("asmnet/litert.js"); // which build of LiteRT this engine runs
const CACHE = `asmnet-${VERSION}`;

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const build = AsmnetLiteRt.build();
  const litert = build ? [`asmnet/litert/${build}.js`, `asmnet/litert/${build}.wasm`] : [];
  await (await caches.open(CACHE)).addAll([...FILES, ...litert]);
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("asmnet-") && name !== CACHE) {
      await caches.delete(name);
    }
  }
  await clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) {
    event.respondWith(answer(request));
  }
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept) {
    return request.headers.has("range") ? part(kept, request.headers.get("range")) : kept;
  }
  const whole = new Request(request.url); // a part of a video is no good to keep
  const found = await fetch(whole);
  if (found.status === 200) {
    await cache.put(whole, found.clone());
  }
  return request.headers.has("range") ? part(found, request.headers.get("range")) : found;
}

/** The part of a file that a video element asks for. */
async function part(answer, range) {
  const bytes = await answer.arrayBuffer();
  const [, from, to] = /bytes=(\d+)-(\d*)/.exec(range) ?? [null, 0, ""];
  const first = Number(from);
  const last = to === "" ? bytes.byteLength - 1 : Math.min(Number(to), bytes.byteLength - 1);
  return new Response(bytes.slice(first, last + 1), { status: 206, headers: {
    "Content-Type": answer.headers.get("Content-Type") ?? "application/octet-stream",
    "Content-Range": `bytes ${first}-${last}/${bytes.byteLength}`,
    "Content-Length": String(last + 1 - first),
    "Accept-Ranges": "bytes",
  } });
}
