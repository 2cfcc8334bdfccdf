// The page of the playground, in four files that package playpage puts into one function. The endpoints run as WebAssembly in a
// worker. The state is in the URL's fragment. What the script inserts is text; the one exception is the glass, which package html
// has escaped.
const $ = (s, from = document) => from.querySelector(s), $$ = (s, from = document) => [...from.querySelectorAll(s)];
const make = (name, text, cls) => {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (cls) e.className = cls;
  return e;
};
const button = (text, then, cls) => {
  const b = make("button", text, cls);
  b.type = "button";
  b.addEventListener("click", then);
  return b;
};
const put = (e, s) => { if (e.textContent !== s) e.textContent = s; };
const text = (id, s) => put($(id), s);
const knobs = JSON.parse($("#lesson-data").textContent); // the setups of each lesson's knob
const root = document.documentElement;

// The WebAssembly. The served page fetches it; the file brings it along as text behind this script, which the first worker unpacks.
const brought = async () => {
  if (document.readyState === "loading") await new Promise((parsed) => document.addEventListener("DOMContentLoaded", parsed));
  const e = $("#wasm-text"), packed = e.textContent;
  e.remove();
  return packed ? { packed } : { module: await WebAssembly.compileStreaming(fetch("playground.wasm")) };
};
const workerURL = URL.createObjectURL(new Blob([$("#worker-text").textContent], { type: "text/javascript" }));
class Engine {
  constructor(module) { // or a promise of what brought returns
    this.worker = new Worker(workerURL);
    this.waiting = new Map();
    this.count = 0;
    this.worked = 0; // milliseconds
    this.ready = new Promise((resolve, reject) => { // to the module
      this.worker.onerror = (e) => reject(new Error(e.message || "the worker does not start"));
      this.worker.onmessage = (e) => {
        this.worked += e.data.ms || 0;
        if (e.data.ready) return resolve(e.data.ready);
        if (e.data.broken) return reject(new Error(e.data.broken));
        const { done, fail } = this.waiting.get(e.data.id);
        this.waiting.delete(e.data.id);
        if (e.data.problem !== undefined) fail(new Error(e.data.problem)); else done(JSON.parse(e.data.text));
      };
      if (module instanceof Promise) module.then((m) => this.worker.postMessage(m), reject); else this.worker.postMessage({ module });
    });
  }
  call(name, query) {
    return new Promise((done, fail) => {
      this.waiting.set(++this.count, { done, fail });
      this.worker.postMessage({ id: this.count, name, text: JSON.stringify(query || {}) });
    });
  }
  end() { this.worker.terminate(); }
}

// The state and its fragment: "#lesson=2&version=1.3&act=flip.c1.2.01&step=5&at=c1.2".
const flags = ["extended_master_secret", "encrypt_then_mac", "client_certificate", "resume", "early_data", "retry", "key_update", "both", "old_server"];
const numbers = ["pieces"], lists = ["others"];
const words = ["version", "suite", "group", "certificate", "flaw", "seed", "request", "response", "careless"];
const side = (c) => c === "c" ? "client" : "server";
const hex2 = (n) => n.toString(16).padStart(2, "0");
const actText = (a) => {
  const at = a.side[0] + a.record, o = a.offset || 0;
  switch (a.kind) {
    case "flip": return `flip.${at}.${o}.${hex2(a.mask || 1)}`;
    case "set": return `set.${at}.${o}.${a.data}`;
    case "cut": return `cut.${at}.${o}`;
    case "inject": return `inject.${at}.${a.data}`;
    case "replay": return `replay.${at}.${a.fresh ? "fresh" : a.at || 0}`;
    default: return `${a.kind}.${at}`;
  }
};
const parseAct = (s) => {
  const [kind, place, x, y] = s.split("."), m = /^([cs])(\d+)$/.exec(place || "");
  if (!m) return null;
  const a = { kind, side: side(m[1]), record: Number(m[2]) };
  if (kind === "flip") { a.offset = Number(x) || 0; a.mask = parseInt(y || "01", 16) || 1; }
  else if (kind === "set") { a.offset = Number(x) || 0; a.data = y || ""; }
  else if (kind === "cut") a.offset = Number(x) || 0;
  else if (kind === "inject") a.data = x || "";
  else if (kind === "replay" && x === "fresh") a.fresh = true;
  else if (kind === "replay") a.at = Number(x) || 0;
  return a;
};
const format = (s) => {
  const q = new URLSearchParams();
  if (s.lesson) q.set("lesson", s.lesson);
  for (const k of [...words, ...numbers]) if (s.setup[k]) q.set(k, s.setup[k]);
  for (const k of lists) if (s.setup[k] && s.setup[k].length) q.set(k, s.setup[k].join());
  for (const k of flags) if (s.setup[k]) q.set(k, "1");
  for (const a of s.acts) q.append("act", actText(a));
  if (s.step !== null) q.set("step", s.step);
  if (s.glass) q.set("glass", s.glass);
  if (s.at) q.set("at", `${s.at.side[0]}${s.at.record}.${s.at.offset}`);
  return "#" + q;
};
const parse = (fragment) => {
  const q = new URLSearchParams(fragment.replace(/^#/, "")), s = { lesson: 0, setup: {}, acts: [], step: null, glass: q.get("glass") || "", at: null };
  s.lesson = knobs[Number(q.get("lesson"))] ? Number(q.get("lesson")) : 0;
  for (const k of words) if (q.get(k)) s.setup[k] = q.get(k);
  for (const k of numbers) if (q.get(k)) s.setup[k] = Number(q.get(k)) || 0;
  for (const k of lists) if (q.get(k)) s.setup[k] = q.get(k).split(",");
  for (const k of flags) if (q.get(k) === "1") s.setup[k] = true;
  s.acts = q.getAll("act").map(parseAct).filter(Boolean);
  if (q.has("step")) s.step = Math.max(0, Number(q.get("step")) || 0);
  const at = /^([cs])(\d+)\.(\d+)$/.exec(q.get("at") || "");
  if (at) s.at = { side: side(at[1]), record: Number(at[2]), offset: Number(at[3]) };
  if (s.lesson && [...q.keys()].every((k) => k === "lesson")) s.setup = { ...knobs[s.lesson][0] };
  return s;
};
let state = parse(location.hash), result = null, engine = null, module = null, choices = null, asked = 0;
const write = (push) => {
  const f = format(state);
  if (f === location.hash || f === "#" && !location.hash) return;
  try { history[push ? "pushState" : "replaceState"](null, "", f); } catch { location.hash = f; }
};
const go = (change, push = true) => {
  state = { ...state, ...change };
  const shown = refresh(); // the worker is at it while the address is written
  write(push);
  return shown;
};
const arrive = () => {
  if (location.hash === format(state)) return;
  state = parse(location.hash);
  refresh();
};
window.addEventListener("popstate", arrive);
window.addEventListener("hashchange", arrive);

// refresh performs the run of the state and shows it. Of several that are asked for at once the last is shown.
const reason = (err) => err.message.replace(/^playground: /, "");
const query = () => ({ setup: state.setup, acts: state.acts, steps: state.step === null ? undefined : state.step, lesson: state.lesson });
const showState = (name, mine) => { // for tests
  root.dataset.worked = engine.worked;
  root.dataset[name] = mine;
};
const refresh = async () => {
  const mine = ++asked, run = engine && engine.call("run", query());
  let part;
  showLesson();
  if (!run) return;
  try {
    const r = await run;
    if (mine !== asked) return;
    result = r;
    part = askGlass(); // the worker renders it while the run is shown
    showVerdict(r);
    showWire(r);
    showGoals(r.goals || []);
  } catch (err) {
    if (mine !== asked) return;
    $("#verdict").dataset.outcome = "problem";
    text("#sentence", "This does not go together: " + reason(err) + ".");
    text("#consequence", "");
    return;
  } finally { if (mine === asked) showState("shown", mine); }
  const glass = showGlass(mine, part);
  showSetup();
  showInspector();
  sweepFits();
  await glass;
};

// The verdict.
const reference = /RFC (\d+),? §([\dA-F.]+\d|[\dA-F])/;
const withLink = (e, s) => {
  const m = reference.exec(s);
  e.replaceChildren();
  if (!m) return e.append(s);
  const a = make("a", m[0]);
  a.href = `https://www.rfc-editor.org/rfc/rfc${m[1]}#section-${m[2]}`;
  a.rel = "noreferrer";
  e.append(s.slice(0, m.index), a, s.slice(m.index + m[0].length));
};
const measure = () => { // how much stays above what scrolls: set where it is used, since a custom property of the root is all elements' matter
  const top = innerWidth > 640 ? $(".top").offsetHeight : 0, over = top + $("#verdict").offsetHeight;
  $("#verdict").style.top = top + "px";
  $(".aside").style.top = over + "px";
  $(".aside").style.maxHeight = `calc(100vh - ${over}px)`;
  root.style.scrollPaddingTop = `calc(${over}px + 0.5rem)`;
};
window.addEventListener("resize", measure);
const sizes = new ResizeObserver(measure);
sizes.observe($(".top"));
sizes.observe($("#verdict"));
const showVerdict = (r) => {
  const v = r.verdict, box = $("#verdict");
  box.dataset.outcome = v.outcome;
  box.dataset.digest = r.digest;
  if ($("#sentence").textContent !== v.sentence) withLink($("#sentence"), v.sentence);
  text("#consequence", r.said || "");
  const slider = $("#step");
  slider.max = r.steps;
  slider.value = r.step;
  $("#step").setAttribute("aria-valuetext", `${r.step} of ${r.steps} deliveries`);
  text("#step-text", `${r.step} of ${r.steps} deliveries`);
  $("#first").disabled = $("#back").disabled = r.step === 0;
  $("#last").disabled = $("#forward").disabled = r.step === r.steps;
  $("#undo").disabled = $("#clear").disabled = !state.acts.length;
  showActs(r.unused || []);
  text("#about", [r.setupName || "TLS " + (state.setup.version || "1.2"), state.setup.suite || ""].filter(Boolean).join(" · "));
};
const showActs = (unused) => {
  const box = $("#acts");
  state.acts.forEach((a, i) => {
    if (!box.children[i]) {
      const li = make("li");
      li.append(button("", () => go({ acts: state.acts.filter((_, j) => j !== i) })));
      box.append(li);
    }
    const b = box.children[i].firstChild;
    put(b, deed(a));
    b.className = unused.includes(i) ? "unused" : "";
    b.title = "take it back" + (b.className ? "; there was no such record, or no such byte" : "");
  });
  while (box.children.length > state.acts.length) box.lastChild.remove();
};
const brief = (hex) => hex.length > 20 ? hex.slice(0, 20) + "…" : hex;
const deed = (a) => {
  const what = `${a.side}'s record ${a.record}`, o = a.offset || 0;
  switch (a.kind) {
    case "flip": return `flip ${hex2(a.mask || 1)} at byte ${o} of the ${what}`;
    case "set": return `set byte ${o} of the ${what} to ${brief(a.data)}`;
    case "drop": return `drop the ${what}`;
    case "duplicate": return `the ${what} twice`;
    case "swap": return `swap the ${what} with the next`;
    case "replay": return a.fresh ? `play all up to the ${what} to the server again` : `replay the ${what} ${a.at ? "behind record " + a.at : "at the end"}`;
    case "inject": return `inject ${brief(a.data)} before the ${what}`;
    case "cut": return `cut the wire in the ${what}, at byte ${o}`;
  }
  return a.kind;
};
const step = (n) => go({ step: n >= result.steps ? null : Math.max(0, n) });
$("#first").addEventListener("click", () => step(0));
$("#back").addEventListener("click", () => step(result.step - 1));
$("#forward").addEventListener("click", () => step(result.step + 1));
$("#last").addEventListener("click", () => step(Infinity));
$("#step").addEventListener("input", (e) => go({ step: Number(e.target.value) >= result.steps ? null : Number(e.target.value) }, false));
