/** checks.js in a browser: {name, given, files}; what `files` names is fetched. */
"use strict";

self.exports = {};
importScripts("/asmnet/core.js");
const core = self.exports;
delete self.exports;
importScripts("/asmnet/litert.js", "/tests/checks.js");

self.onmessage = async ({ data: { name, given, files } }) => {
  for (const [key, address] of Object.entries(files)) {
    given[key] = new Uint8Array(await (await fetch(address)).arrayBuffer());
  }
  try {
    const answer = await checks[name]({ ...given, litert: `${location.origin}/asmnet/litert/` });
    self.postMessage({ answer: ArrayBuffer.isView(answer) ? [...answer] : answer });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
