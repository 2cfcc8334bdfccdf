"use strict";
// A worker of the playground: it runs the WebAssembly, and answers {id, name, text} with {id, text}, {id, problem}. The first message has
// the module, or what unpacks to it.
const unsafe7 = [0, 10, 13, 26, 60, 127, 126];
const unpack = (s) => { // a character is seven bits; "~" and a character from "?" on are one of unsafe7 and three more; the first four bytes are the length
  const out = new Uint8Array(s.length);
  let bits = 0, n = 0, o = 0;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c === 126) {
      const v = s.charCodeAt(++i) - 63;
      bits = bits << 10 | unsafe7[v >> 3] << 3 | v & 7;
      n += 10;
    } else {
      bits = bits << 7 | c;
      n += 7;
    }
    while (n >= 8) { n -= 8; out[o++] = bits >> n; }
  }
  return out.subarray(4, 4 + new DataView(out.buffer).getUint32(0));
};
const compile = (packed) => {
  const stream = new Blob([unpack(packed)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return WebAssembly.compileStreaming(new Response(stream, { headers: { "Content-Type": "application/wasm" } }));
};
const ready = new Promise((resolve) => { self.vitrineReady = resolve; });
const begin = async ({ module, packed }) => {
  const go = new Go(), m = module || await compile(packed);
  go.env.GOGC = "400"; // what a run leaves behind is small, and a collection takes as long as a run
  go.run(await WebAssembly.instantiate(m, go.importObject));
  await ready;
  return m;
};
let begun;
self.onmessage = async (e) => {
  const from = performance.now();
  if (!begun) {
    begun = begin(e.data);
    begun.then((module) => self.postMessage({ ready: module, ms: performance.now() - from }), (err) => self.postMessage({ broken: String(err) }));
    return;
  }
  await begun;
  const { id, name, text } = e.data, out = self.vitrine[name](text || "");
  self.postMessage(out instanceof Error ? { id, problem: out.message } : { id, text: out, ms: performance.now() - from });
};
