// The byte.
const showInspector = () => {
  const v = viewAt(state.at), box = $("#inspector");
  const o = state.at ? state.at.offset : 0;
  box.hidden = !v || o >= v.shown.length;
  if (box.hidden) return;
  const f = v.fieldAt(o), now = v.got[o] || v.sent[o], was = v.sent[o];
  text("#insp-name", f ? f.name : `byte ${o}`);
  text("#insp-value", `${f ? [f.value, f.n > 1 ? `byte ${o - f.o + 1} of ${f.n}` : ""].filter(Boolean).join(" · ") + " · " : ""}byte ${o} of the ${v.x.side}'s record ${v.x.number}`);
  text("#insp-hex", was !== now ? `${was} → ${now}` : now);
  const bits = $("#bits"), diff = parseInt(was, 16) ^ parseInt(now, 16);
  if (!bits.children.length) for (let i = 7; i >= 0; i--) {
    const b = button("", () => { const w = viewAt(state.at); if (w) flip(w.x, state.at.offset, 1 << i); });
    bits.append(b);
  }
  [...bits.children].forEach((b, j) => {
    const i = 7 - j;
    b.textContent = parseInt(now, 16) >> i & 1;
    b.setAttribute("aria-pressed", Boolean(diff >> i & 1));
    b.setAttribute("aria-label", `bit ${i}`);
  });
  if (document.activeElement !== $("#insp-set")) $("#insp-set").value = now;
  text("#insp-guard", guardText(v.x, o));
};
$("#insp-set").addEventListener("change", (e) => {
  const v = viewAt(state.at), h = e.target.value.toLowerCase();
  if (v && /^[0-9a-f]{2}$/.test(h)) flip(v.x, state.at.offset, parseInt(h, 16) ^ parseInt(v.got[state.at.offset] || v.sent[state.at.offset], 16));
  else showInspector();
});
$("#insp-close").addEventListener("click", () => { state.at = null; write(false); select(); $("#inspector").hidden = true; });

// The sweep: which check guards which byte.
let sweep = null; // {setup, engine, guards: Map of "c1.5" to verdict, done, all, groups}
const hues = [255, 85, 320, 165, 55, 205, 290, 125, 350]; // each is used pale and dark, in turn; a letter says the same without colour
const paint = (e, k, i) => {
  e.classList.toggle("open", k === "nobody");
  e.classList.toggle("wait", k === "stalled");
  e.dataset.g = { nobody: "!", stalled: "–" }[k] || letter(i);
  if (e.matches(".open, .wait")) return;
  e.style.setProperty("--gh", hues[i % 9]);
  e.classList.toggle("dark", (i % 9 + Math.floor(i / 9)) % 2 === 1);
};
const letter = (i) => String.fromCharCode(65 + i % 26);
const groupOf = (v) => v.outcome === "caught" ? v.check || v.alert : v.outcome === "stalled" ? "stalled" : "nobody";
const guardText = (x, o) => {
  const v = sweep && own(x) && sweep.guards.get(`${x.side[0]}${x.number}.${o}`);
  return v ? (v.outcome === "caught" ? `Guarded: ${v.sentence.replace(/^Caught /, "")}` : v.outcome === "stalled" ? "A flip here leaves a side waiting." : "Nobody guards it: a flip is not noticed.") : "";
};
const setupText = () => format({ lesson: 0, setup: state.setup, acts: [], step: null });
const sweepFits = () => { if (sweep && sweep.setup !== setupText()) { endSweep(); sweep = null; $("#sweep").hidden = true; paintGuards(); } };
const endSweep = () => { if (sweep && sweep.engine) { sweep.engine.end(); sweep.engine = null; } $("#sweep-stop").textContent = "Close"; };
let painted = false;
const paintGuards = () => {
  if (painted) $$(".b.g", $("#records")).forEach((b) => { b.classList.remove("g", "open", "wait", "pick", "dark"); b.style.removeProperty("--gh"); delete b.dataset.g; });
  painted = Boolean(sweep);
  $("#records").classList.toggle("dim", Boolean(sweep && sweep.pick));
  if (!sweep) return;
  for (const v of views.values()) if (own(v.x)) v.cells.forEach((b) => {
    const g = sweep.guards.get(`${v.x.side[0]}${v.x.number}.${b.offset}`);
    if (!g) return;
    const k = groupOf(g);
    b.classList.add("g");
    paint(b, k, sweep.groups.get(k).index);
    if (sweep.pick === k) b.classList.add("pick");
  });
};
const showLegend = () => {
  const order = [...sweep.groups.entries()].sort((a, b) => (a[0] === "nobody" ? -1e9 : -a[1].count) - (b[0] === "nobody" ? -1e9 : -b[1].count));
  $("#sweep-legend").replaceChildren(...order.map(([k, g]) => {
    const li = make("li"), b = button("", () => pick(k)), sw = make("span", undefined, "sw");
    paint(sw, k, g.index);
    sw.setAttribute("aria-hidden", "true");
    b.append(sw, make("span", k === "nobody" ? "nobody: a flip is not noticed" : k === "stalled" ? "no check: a side waits for ever" : k), make("span", `${g.count} ${g.count === 1 ? "byte" : "bytes"}`, "n"));
    b.setAttribute("aria-pressed", sweep.pick === k);
    li.append(b);
    return li;
  }));
  $("#sweep-bar").max = sweep.all || 1;
  $("#sweep-bar").value = sweep.done;
  $("#sweep-bar").hidden = sweep.done === sweep.all;
  text("#sweep-text", sweep.done === sweep.all ? `Each of the ${sweep.all} bytes was flipped by one bit, in a run of its own.` : `${sweep.done} of ${sweep.all} bytes flipped, each in a run of its own.`);
};
const pick = (k) => {
  sweep.pick = sweep.pick === k ? null : k;
  if (sweep.pick) {
    for (const v of views.values()) if (own(v.x) && v.shown.some((_, o) => { const g = sweep.guards.get(`${v.x.side[0]}${v.x.number}.${o}`); return g && groupOf(g) === k && o >= v.cells.length; })) opened.add(v.key);
    showWire(result);
  }
  showLegend();
  paintGuards();
  const first = $(".b.pick");
  if (first) first.scrollIntoView({ block: "center" });
};
const startSweep = async () => {
  if (sweep && sweep.setup === setupText() && (sweep.engine || sweep.done === sweep.all)) { $("#sweep").hidden = false; $("#sweep").scrollIntoView({ block: "nearest" }); return; }
  endSweep();
  const mine = sweep = { setup: setupText(), guards: new Map(), groups: new Map(), named: 0, done: 0, all: 0, pick: null, engine: new Engine(module) };
  $("#sweep").hidden = false;
  $("#sweep-stop").textContent = "Stop";
  showLegend();
  $("#sweep").scrollIntoView({ block: "nearest" });
  say("Flipping every byte.");
  try {
    await mine.engine.ready;
    let p = await mine.engine.call("sweep", { setup: state.setup });
    while (sweep === mine && mine.engine) {
      for (const g of p.found || []) {
        mine.guards.set(`${g.side[0]}${g.record}.${g.offset}`, g.verdict);
        const k = groupOf(g.verdict), group = mine.groups.get(k) || { index: mine.named, count: 0 };
        if (!group.count && k !== "nobody" && k !== "stalled") mine.named++;
        group.count++;
        mine.groups.set(k, group);
      }
      mine.done = p.done;
      mine.all = p.all;
      showLegend();
      paintGuards();
      if (p.done === p.all) break;
      p = await mine.engine.call("sweepMore");
    }
  } catch (err) { text("#sweep-text", "The sweep failed: " + err.message); }
  if (sweep !== mine) return;
  const whole = mine.done === mine.all;
  endSweep();
  showInspector();
  if (whole) say(`Every byte was flipped. ${(mine.groups.get("nobody") || { count: 0 }).count} bytes are guarded by nobody.`);
};
$("#sweep-button").addEventListener("click", startSweep);
$("#sweep-stop").addEventListener("click", () => {
  if (sweep && sweep.engine) { endSweep(); return; }
  sweep = null;
  $("#sweep").hidden = true;
  paintGuards();
});

// The glass.
let glass = ""; // as it is shown
const askGlass = () => {
  const link = format({ ...state, glass: "" }), prefix = link + (link === "#" ? "" : "&") + "glass=";
  const at = state.at && result.records.find((x) => x.side === state.at.side && x.number === state.at.record && own(x));
  const line = result.verdict.step || (at && at.carries ? at.carries[0].step : 0);
  const part = engine.call("glass", { ...query(), id: state.glass, line, link: prefix }).then((out) => ({ ...out, prefix }));
  part.catch(() => {}); // showGlass says it
  return part;
};
const showGlass = async (mine, part) => {
  const g = $("#glass");
  g.classList.add("old");
  try {
    const out = await part;
    if (mine !== asked) return;
    if (glass !== out.html) {
      g.innerHTML = glass = out.html; // eslint-disable-line no-unsanitized/property
      requestAnimationFrame(() => { if (getComputedStyle($(".aside")).display !== "contents" && g.getBoundingClientRect().top < 0) $(".right").scrollIntoView(); });
    }
    $("#glass-nav").replaceChildren(...(out.steps || []).map((s) => {
      const a = make("a", s.Title);
      a.href = out.prefix + s.ID;
      if (s.ID === out.id) a.setAttribute("aria-current", "step");
      return a;
    }));
  } catch (err) { g.textContent = glass = err.message; }
  if (mine === asked) { g.classList.remove("old"); showState("glass", mine); }
};
document.addEventListener("click", (e) => {
  const a = e.target.closest("a[href^='#']");
  if (!a) return;
  if (a.dataset.skip) { e.preventDefault(); focusWire(); }
  else if (a.closest(".right")) { // only the step of the glass: the rest of the state may have gone on
    e.preventDefault();
    go({ glass: (new URLSearchParams(a.getAttribute("href").slice(1)).get("glass") || "").replace(/^glass-/, "") });
  }
});
const focusWire = () => { const v = viewAt(state.at) || [...views.values()][0]; if (v) focusByte(v, state.at ? state.at.offset : 0); };
