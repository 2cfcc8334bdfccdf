"use strict";
// A worker of the playground: it runs the WebAssembly, and answers {id, name, text} with {id, text}, {id, problem}. The module comes first.
let begun;
const ready = new Promise((resolve) => { self.vitrineReady = resolve; });
self.onmessage = async (e) => {
  if (e.data.module) {
    const go = new Go();
    begun = WebAssembly.instantiate(e.data.module, go.importObject).then((instance) => { go.run(instance); return ready; });
    begun.then(() => self.postMessage({ ready: true }), (err) => self.postMessage({ broken: String(err) }));
    return;
  }
  await begun;
  const { id, name, text } = e.data;
  const from = performance.now(), out = self.vitrine[name](text || "");
  self.postMessage(out instanceof Error ? { id, problem: out.message } : { id, text: out, ms: performance.now() - from });
};
