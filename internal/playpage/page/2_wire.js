// The wire.
const folded = 5, perLine = 16;
let views = new Map(); // by key: what is shown of a record
const opened = new Set(); // keys of records that are shown whole
const pretty = (name) => name.split("_").map((w) => w[0].toUpperCase() + w.slice(1)).join("");
const nameOf = (c) => /^(client_hello|server_hello|hello_retry|encrypted_ext|certificate|server_key|server_hello_done|client_key|finished|new_session|end_of_early|hello_request|key_update|message_hash)/.test(c.name) ? pretty(c.name) : c.name === "change_cipher_spec" ? "ChangeCipherSpec" : c.name;
const keyed = (r) => {
  const seen = {};
  return r.records.map((x, i) => {
    const k = `${x.side[0]}${x.number}`, n = seen[k] = (seen[k] || 0) + 1;
    return { x, fields: r.fields[i] || [], key: n > 1 || !x.number ? `${k}-${n}` : k };
  });
};
const own = (x) => x.number > 0 && x.fate !== "duplicate" && x.fate !== "replayed"; // what its side sent here: it can be touched
const showWire = (r) => {
  const next = new Map(), list = [], active = focusPlace();
  for (const k of keyed(r)) {
    const old = views.get(k.key), v = old && old.show(k) ? old : recordView(k);
    v.mark(state.acts);
    next.set(k.key, v);
    list.push(v.element);
  }
  views = next;
  const box = $("#records");
  list.forEach((e, i) => { if (box.children[i] !== e) box.insertBefore(e, box.children[i] || null); });
  while (box.children.length > list.length) box.lastChild.remove();
  if (active) refocus(active);
  select();
  showOutcomes(r);
  paintGuards();
};
const focusPlace = () => {
  const e = document.activeElement, rec = e && e.closest(".rec");
  return rec ? { element: e, key: rec.dataset.key, offset: e.classList.contains("b") ? e.offset : -1, deed: e.dataset.deed } : null;
};
const refocus = (p) => { // onto the byte or the deed that had the focus before
  const v = views.get(p.key);
  if (!v) return;
  const e = p.offset >= 0 ? v.byte(p.offset) : p.deed ? $(`[data-deed="${p.deed}"]`, v.element) : null;
  if (!e) return;
  if (e !== document.activeElement) e.focus({ preventScroll: true });
  else if (p.offset >= 0) e.setAttribute("aria-label", label(v, p.offset));
};
const bytesOf = (h) => h ? h.match(/../g) || [] : [];
const fates = { changed: "changed on its way", dropped: "never arrives", moved: "arrives late", duplicate: "a copy", replayed: "replayed", forged: "forged" };
const recordView = (k) => {
  const { x, key } = k, li = make("li"), head = make("div", undefined, "rec-head"), grid = make("div", undefined, "bytes"), deeds = make("div", undefined, "deeds");
  li.dataset.key = key;
  grid.setAttribute("role", "grid");
  const cells = [], size = Math.max(bytesOf(x.sent).length, bytesOf(x.got).length);
  const lines = Math.ceil(size / perLine), all = lines <= folded + 1 || opened.has(key), upto = all ? lines : folded;
  for (let l = 0; l < upto; l++) {
    const row = make("div", undefined, "line");
    row.setAttribute("role", "row");
    const at = make("span", String(l * perLine), "at");
    at.setAttribute("role", "rowheader");
    row.append(at);
    for (let o = l * perLine; o < Math.min(size, (l + 1) * perLine); o++) {
      const b = make("span", "", "b");
      b.setAttribute("role", "gridcell");
      b.tabIndex = o ? -1 : 0;
      b.offset = o;
      cells.push(b);
      row.append(b);
    }
    grid.append(row);
  }
  grid.style.containIntrinsicHeight = `auto ${upto * 1.25 + 0.7}rem`; // until it comes into view
  const foot = make("div", undefined, "rec-foot");
  foot.append(all ? make("span") : button(`all ${size} bytes`, () => open(key), "more-bytes"), deeds);
  li.append(head, make("span", undefined, "way"), grid, foot);
  if (own(x)) deedsOf(x, deeds);
  const v = { element: li, key, grid, cells, byte: (o) => cells[o] || null, fieldAt: (o) => v.fields.find((f) => o >= f.o && o < f.o + f.n) };
  v.mark = (acts) => {
    let any = false;
    $$("[data-deed]", deeds).forEach((b) => {
      const on = acts.some((a) => (a.fresh ? "fresh" : a.kind) === b.dataset.deed && a.side === v.x.side && a.record === v.x.number);
      b.setAttribute("aria-pressed", on);
      any = any || on;
    });
    li.classList.toggle("touched", any);
  };
  let sign = "";
  v.show = ({ x, fields }) => { // of the same record in another run: only what differs. It reports whether the record fits the view
    const sent = bytesOf(x.sent), got = bytesOf(x.got), shown = got.length >= sent.length ? got : sent, now = JSON.stringify(x);
    if (shown.length !== size || own(x) !== Boolean(deeds.children.length) || opened.has(key) && !all) return false;
    Object.assign(v, { x, fields, sent, got, shown });
    if (now === sign) return true;
    sign = now;
    showHead(v, li, head);
    cells.forEach((b, o) => {
      const differs = Boolean(sent.length && got.length && got[o] !== sent[o]);
      put(b, got[o] || sent[o]);
      b.classList.toggle("hit", differs ? Boolean(got[o]) : x.fate === "forged");
      b.classList.toggle("gone", differs && !got[o]);
    });
    return true;
  };
  v.show(k);
  return v;
};
const showHead = (v, li, head) => {
  const x = v.x, names = (x.carries || []).map(nameOf), line = x.carries && x.carries.length ? x.carries[0].step : 0;
  li.className = `rec ${x.side[0]}${x.encrypted ? " sealed" : ""}${x.fate === "dropped" ? " dropped" : ""}${x.unread ? " unread" : ""}`;
  v.grid.setAttribute("aria-label", `Bytes of the ${x.side}'s record ${x.number}: ${names.join(", ")}`);
  const name = button(names.join(", ") || (x.number ? "the rest of a message" : "forged record"), () => go({ glass: "", at: { side: x.side, record: x.number, offset: 5 }, line }), "name");
  name.title = "show it in the glass";
  head.replaceChildren(make("span", x.number ? `${x.side} ${x.number}` : x.side, "n"), " ", name, " ", make("span", `${v.shown.length} bytes`, "size"));
  if (x.encrypted) head.append(" ", make("span", "encrypted", "lock"));
  if (fates[x.fate]) head.append(" ", make("span", fates[x.fate], "fate"));
  if (x.unread) head.append(" ", make("span", "nobody reads it any more", "fate quiet"));
  else if (!x.arrival && x.fate !== "dropped") head.append(" ", make("span", "on its way", "fate quiet"));
};
const open = (key) => {
  opened.add(key);
  if (result) showWire(result);
};
const warning = "1503030002015a"; // alert, warning, user_canceled
const deedsOf = (x, box) => {
  const at = { side: x.side, record: x.number };
  const list = [["drop", "drop", {}, "it never arrives"], ["duplicate", "twice", {}, "it arrives twice in a row"], ["swap", "swap", {}, "it arrives behind the next one of its side"],
    ["replay", "replay", {}, "it arrives again, at the end"], ["inject", "alert", { data: warning }, "a forged warning arrives before it"], ["cut", "cut", {}, "the wire ends before the chosen byte of it"]];
  if (x.side === "client") list.push(["replay", "fresh", { fresh: true }, "all up to it arrives once more, in a new connection to the same server"]);
  for (const [kind, label, more, title] of list) {
    const b = button(label, () => {
      const same = (a) => a.kind === kind && !a.fresh === !more.fresh && a.side === at.side && a.record === at.record;
      const has = state.acts.some(same), rest = state.acts.filter((a) => !same(a));
      const a = { kind, ...at, ...more };
      if (kind === "cut") a.offset = state.at && state.at.side === at.side && state.at.record === at.record ? state.at.offset : 0;
      go({ acts: has ? rest : [...rest, a] });
    });
    b.dataset.deed = more.fresh ? "fresh" : kind;
    b.title = title;
    box.append(b);
  }
};
const flip = (x, offset, mask) => {
  if (!own(x)) { say("Only what its side sent here can be touched."); return; }
  const same = (a) => a.kind === "flip" && a.side === x.side && a.record === x.number && (a.offset || 0) === offset;
  const old = state.acts.find(same), rest = state.acts.filter((a) => !same(a) && !(a.kind === "set" && a.side === x.side && a.record === x.number && (a.offset || 0) === offset));
  const m = (old ? old.mask || 1 : 0) ^ mask;
  return go({ acts: m ? [...rest, { kind: "flip", side: x.side, record: x.number, offset, mask: m }] : rest, at: { side: x.side, record: x.number, offset } });
};
const say = (s) => text("#live", s);
const viewOf = (b) => views.get(b.closest(".rec").dataset.key);
let flipping = false; // the byte that gets the focus is flipped at once, and chosen by that
$("#records").addEventListener("click", (e) => {
  const b = e.target.closest(".b");
  if (!b) return;
  const v = viewOf(b);
  flipping = own(v.x);
  b.focus({ preventScroll: true });
  flipping = false;
  flip(v.x, b.offset, 1);
});
const label = (v, o) => {
  const f = v.fieldAt(o);
  return `byte ${o}, hex ${v.shown[o]}${v.sent[o] && v.got[o] && v.sent[o] !== v.got[o] ? ", sent as " + v.sent[o] : ""}${f ? ", " + f.name.replace("›", "") : ""}${guardText(v.x, o) ? ". " + guardText(v.x, o) : ""}`;
};
$("#records").addEventListener("focusin", (e) => {
  const b = e.target.closest(".b");
  if (!b) return;
  const v = viewOf(b);
  b.setAttribute("aria-label", label(v, b.offset));
  if (flipping) return;
  state.at = { side: v.x.side, record: v.x.number, offset: b.offset };
  write(false);
  select();
  showInspector();
});
const focusByte = (v, o) => {
  if (o >= v.cells.length && o < v.shown.length) { open(v.key); v = views.get(v.key); }
  const b = v.byte(Math.max(0, Math.min(v.shown.length - 1, o)));
  if (!b) return;
  v.cells.forEach((c) => { if (c.tabIndex === 0) c.tabIndex = -1; });
  b.tabIndex = 0;
  b.setAttribute("aria-label", label(v, b.offset));
  b.focus({ preventScroll: true });
  b.scrollIntoView({ block: "nearest" });
};
$("#records").addEventListener("keydown", (e) => {
  const b = e.target.closest(".b");
  if (!b || e.ctrlKey || e.metaKey || e.altKey) return;
  const v = viewOf(b), o = b.offset, list = [...views.values()], i = list.indexOf(v);
  const to = { ArrowRight: o + 1, ArrowLeft: o - 1, ArrowDown: o + perLine, ArrowUp: o - perLine, Home: 0, End: v.shown.length - 1 }[e.key];
  if (to !== undefined) {
    if (to < 0 && i > 0) focusByte(list[i - 1], list[i - 1].shown.length - 1);
    else if (to >= v.shown.length && i < list.length - 1) focusByte(list[i + 1], 0);
    else if (to >= 0 && to < v.shown.length) focusByte(v, to);
  } else if (e.key === "PageDown" || e.key === "PageUp") {
    const n = list[i + (e.key === "PageDown" ? 1 : -1)];
    if (n) focusByte(n, 0);
  } else if (e.key === "Enter" || e.key === " ") flip(v.x, o, 1);
  else if (e.key >= "0" && e.key <= "7") flip(v.x, o, 1 << Number(e.key));
  else return;
  e.preventDefault();
  e.stopPropagation();
});
const viewAt = (at) => at && [...views.values()].find((v) => v.x.side === at.side && v.x.number === at.record && own(v.x));
let chosen = new Map(); // cells of the field that is chosen, by their class
const select = () => {
  const next = new Map(), v = viewAt(state.at), f = v && v.fieldAt(state.at.offset);
  if (f) v.cells.slice(f.o, f.o + f.n).forEach((b) => next.set(b, "same"));
  if (v && v.byte(state.at.offset)) next.set(v.byte(state.at.offset), "sel");
  for (const [b, c] of chosen) if (next.get(b) !== c) b.classList.remove(c);
  for (const [b, c] of next) b.classList.add(c);
  chosen = next;
};
let outcomes = "";
const showOutcomes = (r) => {
  const sign = JSON.stringify([r.ends, r.later, r.again]);
  if (sign === outcomes) return;
  outcomes = sign;
  const part = (who, e, title) => {
    const d = make("div");
    d.append(make("h3", title));
    const p = make("p", e.error ? e.error : e.closed ? "The connection was closed as it should be." : e.done ? "Its handshake is done." : "Its handshake is not done.", e.error ? "failed" : "");
    d.append(p);
    const data = (label, s) => { if (s) d.append(make("p", label), make("div", s, "data")); };
    data("It has read as early data:", e.early);
    data("It has read:", e.received);
    return d;
  };
  const box = $("#outcomes");
  box.replaceChildren(part("client", r.ends[0], "Client"), part("server", r.ends[1], "Server"));
  if (r.later) {
    const d = make("div", undefined, "again"), l = r.later;
    d.append(make("h3", "Ten years later, with the recording and the server's key"));
    if (l.client || l.server) d.append(make("p", "All of it is read:", "failed"), make("div", [l.client, l.server].filter(Boolean).join("\n"), "data"));
    else d.append(make("p", "Nothing is read" + (l.why ? ": " + l.why : ".")));
    box.append(d);
  }
  if (r.again) {
    const d = make("div", undefined, "again");
    d.append(make("h3", "The other connection, with what was recorded"), make("p", r.again.verdict.sentence), part("server", r.again.ends[1], "Server"));
    box.append(d);
  }
};
