"use strict";
// Everything that a peer chose is put into the page by textContent alone.
const $ = id => document.getElementById(id);
const rows = new Map(), lines = new Map(), picked = [];
const most = 300; // lines on the page
let show = "all", held = false, words = [], stats = {}, waiting = false;

const element = (name, text, cls) => {
  const e = document.createElement(name);
  if (text) e.textContent = text;
  if (cls) e.className = cls;
  return e;
};
const cell = (cls, text, sub) => {
  const td = element("td", "", cls + (text === "–" && !sub ? " void" : ""));
  if (text) td.append(element("span", text, cls === "say" ? "suite" : ""));
  if (sub) td.append(element("span", sub, "sub"));
  return td;
};
const size = n => n < 10000 ? String(n) : n < 1e7 ? Math.round(n / 1000) + " k" : Math.round(n / 1e6) + " M";
const time = t => new Date(t).toLocaleTimeString([], { hour12: false });

// How a state looks: a failure is red, an end without a word is gold.
const tone = r => r.state === "failed" ? "bad" : r.reason === "truncated" || r.reason === "reset" ? "warn" : r.state === "closed" ? "calm" : "good";

const plain = ["close_notify", "closed_by_server"]; // ends that need no words
const endOf = r => {
  const td = element("td", "", "end");
  td.append(element("span", r.how || (r.state === "handshake" ? "shaking hands" : r.state), "pill " + tone(r)));
  const why = r.cause || (plain.includes(r.reason) ? "" : r.why);
  if (why) td.append(element("span", why, "sub"));
  const check = [r.check && "check: " + r.check, r.ref].filter(Boolean).join(", ");
  if (check && r.state === "failed") td.append(element("span", check, "sub"));
  if (r.reason) td.append(element("code", r.reason, "sub code"));
  const lost = dropped(r);
  if (lost) td.append(element("span", lost, "sub"));
  return td;
};
const dropped = r => {
  const d = r.dropped || {};
  if (r.forgotten && !r.stored) return "its events gave way to others";
  if (d.events) return d.events + " events were dropped for room";
  if (d.records) return d.records + " records of data were dropped for room";
  return d.plaintext ? size(d.plaintext) + " bytes of plaintext were dropped for room" : "";
};

// What a client offered, where nothing was negotiated.
const few = (all, n) => all.slice(0, n).join(", ") + (all.length > n ? ` and ${all.length - n} more` : "");
const offered = (td, o) => {
  td.append(element("span", "offered: " + few(o.versions || [], 6), "suite"));
  for (const [name, all, n] of [["suites", o.suites, 3], ["groups", o.groups, 4], ["protocols", o.alpn, 4]])
    if (all && all.length) {
      const line = element("span", `${name}: ${few(all, n)}`, "sub");
      line.title = all.join("\n");
      td.append(line);
    }
  if (o.more) td.append(element("span", o.more + " more values are not listed", "sub"));
};

const fill = (tr, r) => {
  tr.className = r.state + (tr.dataset.seen ? "" : " new");
  tr.dataset.seen = tr.dataset.id = r.id;
  const focus = tr.contains(document.activeElement) && document.activeElement.dataset.part;
  const pick = element("input");
  pick.type = "checkbox";
  pick.dataset.part = "pick";
  pick.checked = picked.includes(r.id);
  pick.setAttribute("aria-label", "compare the connection of " + time(r.start) + " from " + r.client);
  const box = element("td");
  box.append(pick);
  const when = element("td", "", "when"), link = element("a", time(r.start));
  link.href = "/c/" + r.id;
  link.dataset.part = "link";
  when.append(link);
  if (r.handshake_ms) when.append(element("span", r.handshake_ms.toFixed(1) + " ms", "sub"));
  const who = r.client_certificate ? r.client_certificate + (r.client_verified ? "" : " (unverified)") : "";
  const extra = [r.version, r.group, r.resumed && "resumed", r.early_data && "early data " + r.early_data + (r.early_data_reason ? ": " + r.early_data_reason : "")].filter(Boolean).join(" · ");
  const get = element("td", "", "get");
  const kinds = [["events", ".json"], ["pcapng", ".pcapng"]];
  if (document.body.dataset.reveal) kinds.push(["key log", ".keys"]);
  for (const [name, end] of kinds) {
    const a = element("a", name);
    a.href = "/c/" + r.id + end;
    a.setAttribute("download", "");
    a.setAttribute("aria-label", name + " of the connection of " + time(r.start) + " from " + r.client);
    get.append(a, " ");
  }
  const say = cell("say", r.suite || (r.offer ? "" : "–"), extra);
  if (r.offer) offered(say, r.offer);
  const leg = r.leg ? (r.leg === "service" ? "to the service " : "from ") : "";
  tr.replaceChildren(box, when, cell("from", leg + r.client, who),
    cell("name", r.server_name || r.offer?.server_name || "–", r.alpn), say,
    cell("num", "↓ " + size(r.received.data), "↑ " + size(r.sent.data)), endOf(r), get);
  if (focus) tr.querySelector(`[data-part="${focus}"]`)?.focus();
};

const text = r => [r.client, r.server, r.server_name, r.alpn, r.version, r.suite, r.group, r.client_certificate, r.reason, r.how, ...Object.values(r.offer || {}), r.why, r.cause, r.state, r.leg].join(" ").toLowerCase();
const fits = r => (show === "all" || show === "failed" && r.state === "failed" || show === "open" && (r.state === "open" || r.state === "handshake")) &&
  (!words.length || (t => words.every(w => t.includes(w)))(text(r)));

const draw = () => {
  waiting = false;
  const first = $("first").getAttribute("aria-pressed") === "true" && show === "all";
  const all = [...rows.values()];
  const list = all.filter(fits).sort((a, b) => first && (b.state === "failed") - (a.state === "failed") || b.at - a.at || b.no - a.no);
  const body = $("rows");
  const shown = list.slice(0, most), keep = new Set(shown.map(r => r.id));
  for (const [id, tr] of lines) if (!keep.has(id)) { tr.remove(); lines.delete(id); }
  let next = body.firstElementChild;
  for (const r of shown) {
    let tr = lines.get(r.id);
    if (!tr) { tr = element("tr"); lines.set(r.id, tr); r.drawn = false; }
    if (!r.drawn) { fill(tr, r); r.drawn = true; }
    if (tr === next) next = next.nextElementSibling; else body.insertBefore(tr, next);
  }
  const failed = all.filter(r => r.state === "failed").length;
  $("n-all").textContent = all.length;
  $("n-failed").textContent = failed;
  $("n-failed").className = failed ? "some" : "";
  $("n-open").textContent = all.filter(r => r.state === "open" || r.state === "handshake").length;
  $("empty").hidden = list.length > 0;
  $("empty").textContent = all.length ? "None of them fits." : "No connection yet. They appear here as they come.";
  $("more").hidden = list.length <= most;
  $("more").textContent = `${list.length - most} more fit: narrow them down with Find.`;
  tell();
};
const soon = () => { if (!held && !waiting) { waiting = true; requestAnimationFrame(draw); } };

// What was dropped for room.
const tell = () => {
  const d = stats.dropped || {}, lost = [];
  if (stats.unlisted) lost.push(`${stats.unlisted} older connections are not listed any more`);
  if (d.plaintext) lost.push(`${size(d.plaintext)} bytes of plaintext, ${d.records || 0} records of data and ${d.events || 0} events were dropped for room`);
  else if (d.events) lost.push(`${d.events} events were dropped for room`);
  if (stats.unkept) lost.push(`${stats.unkept} connections are not in the history, which was too slow`);
  $("note").hidden = !lost.length;
  $("note").textContent = lost.length ? lost.join("; ") + "." : "";
};

const choose = () => {
  $("pick").hidden = !picked.length;
  const names = picked.map(id => { const r = rows.get(id); return r ? time(r.start) + " " + (r.server_name || r.client) : id; });
  $("picked").textContent = names.length === 1 ? names[0] + ": choose another to compare it with" : names.join("  and  ");
  $("compare").hidden = picked.length < 2;
  if (picked.length > 1) $("compare").href = "/compare/" + picked.join("/");
};
const pick = (id, on) => {
  const at = picked.indexOf(id);
  if (at >= 0) picked.splice(at, 1);
  if (on) picked.push(id);
  while (picked.length > 2) {
    const box = lines.get(picked.shift())?.querySelector("input");
    if (box) box.checked = false;
  }
  choose();
};
const setShow = what => {
  show = what;
  for (const b of document.querySelectorAll("[data-show]")) b.setAttribute("aria-pressed", String(b.dataset.show === what));
  draw();
};
document.addEventListener("click", e => {
  const b = e.target.closest("[data-show]");
  if (b) setShow(b.dataset.show);
});
$("rows").addEventListener("change", e => pick(e.target.closest("tr").dataset.id, e.target.checked));
$("unpick").addEventListener("click", () => { for (const id of [...picked]) { pick(id, false); const box = lines.get(id)?.querySelector("input"); if (box) box.checked = false; } });
$("first").addEventListener("click", e => { e.target.setAttribute("aria-pressed", String(e.target.getAttribute("aria-pressed") !== "true")); draw(); });
$("hold").addEventListener("click", e => { held = !held; e.target.setAttribute("aria-pressed", String(held)); if (!held) draw(); });
$("find").addEventListener("input", e => { words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean); draw(); });
document.addEventListener("keydown", e => {
  if (e.target.matches("input[type=search]")) { if (e.key === "Escape") e.target.blur(); return; }
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "f") setShow(show === "failed" ? "all" : "failed");
});
document.addEventListener("keyup", e => { if (e.key === "/" && !e.target.matches("input[type=search]")) $("find").focus(); });

const source = new EventSource("/events");
const link = (on, text) => { $("link").className = "link " + (on ? "on" : "off"); $("link").textContent = text; };
source.addEventListener("open", () => link(true, "live"));
source.addEventListener("error", () => link(false, source.readyState === 2 ? "refused: open the address that the program has printed" : "not connected: trying again"));
source.addEventListener("change", e => {
  const c = JSON.parse(e.data);
  if (c.whole) rows.clear();
  for (const r of c.rows || []) {
    r.at = Date.parse(r.start);
    r.no = Number(r.id.split("-")[1]);
    rows.set(r.id, r);
  }
  for (const id of c.gone || []) rows.delete(id);
  stats = c.stats || stats;
  soon();
});
