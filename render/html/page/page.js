"use strict";
// The page reads without this script. It turns pages, links bytes with fields, lights the families of secrets, asks questions. What it
// inserts is text: it never makes markup of data.
(() => {
  const root = document.documentElement;
  const $ = (s, from = document) => from.querySelector(s);
  const $$ = (s, from = document) => [...from.querySelectorAll(s)];
  const make = (name, text, cls) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (cls) e.className = cls;
    return e;
  };
  const data = JSON.parse($("#data").textContent);
  const steps = $$(".step"), byID = new Map(steps.map((s) => [s.id, s]));
  const runOf = (e) => e.closest(".run") || $(".run.here") || $(".run");
  const secretsOf = (run) => data.runs.find((r) => r.id === run.dataset.run).secrets;
  let current = null, timer = 0, opened = false;

  // Turning pages. The fragment is the state: every step can be linked to.
  const pages = () => {
    const run = current && current.closest(".run");
    return steps.filter((s) => !s.closest(".run") || !run || s.closest(".run") === run);
  };
  const show = (id, focus) => {
    const step = byID.get(id);
    const part = step || id === "compare" ? null : document.getElementById(id), around = part && part.closest(".step");
    if (around) { // a value of the key schedule
      show(around.id, false);
      for (let d = part; d && d !== around; d = d.parentElement) if (d.tagName === "DETAILS") d.open = true;
      part.scrollIntoView();
      if (focus && $("summary", part)) $("summary", part).focus({ preventScroll: true });
      return true;
    }
    const comparison = $("#compare");
    if (comparison) comparison.classList.toggle("here", id === "compare");
    if (!step && id !== "compare") return false;
    current = step || null;
    const run = step ? runOf(step) : $(".run");
    $$(".run").forEach((r) => r.classList.toggle("here", r === run));
    $$("[data-go-run]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.goRun === run.dataset.run));
    steps.forEach((s) => s.classList.toggle("current", s === step));
    $$(".chapter").forEach((c) => {
      c.classList.toggle("here", !!step && c.contains(step));
      c.classList.toggle("first", !!step && $(".step", c) === step);
    });
    $$(".story").forEach((s) => s.classList.toggle("here", !!step && s.contains(step)));
    $$(".rung").forEach((a) => {
      if (a.dataset.step === id) { a.setAttribute("aria-current", "step"); into(a); } else a.removeAttribute("aria-current");
    });
    $$(".flow").forEach((f) => f.classList.toggle("on", f.dataset.step === id));
    ring(run, step ? Number(step.dataset.number || Infinity) : 0);
    closePanel();
    if (root.classList.contains("quiz")) ask();
    if (!step) return true;
    if (opened) { const d = document.getElementById(id + "-bytes"); if (d) d.open = true; }
    if (root.classList.contains("one")) window.scrollTo(0, 0); else step.scrollIntoView();
    if (focus) $("h3", step).focus({ preventScroll: true });
    return true;
  };
  // into brings a rung into view without moving the page.
  const into = (a) => {
    const box = a.closest(".ladder"), r = a.getBoundingClientRect(), b = box.getBoundingClientRect();
    if (r.top < b.top + 30) box.scrollTop -= b.top + 60 - r.top;
    else if (r.bottom > b.bottom - 20) box.scrollTop += r.bottom - b.bottom + 60;
  };
  const ring = (run, number) => $$(".slot", run).forEach((s) => {
    const born = Number(s.dataset.born);
    s.classList.toggle("born", born <= number);
    s.classList.toggle("new", born === number);
  });
  const go = (id) => { if (id) location.hash = id; };
  const turn = (by) => {
    const list = pages(), at = list.indexOf(current) + by;
    if (at >= 0 && at < list.length) go(list[at].id);
    return at < list.length - 1;
  };
  const chapter = (n) => {
    const s = pages().find((p) => p.dataset.chapter === String(n));
    if (s) go(s.id);
  };
  window.addEventListener("hashchange", () => show(decodeURIComponent(location.hash.slice(1)), true));

  // Playing.
  const playing = (on) => {
    clearInterval(timer);
    timer = on ? setInterval(() => { if (!turn(1)) playing(false); }, 3500) : 0;
    const b = $("#play");
    b.setAttribute("aria-pressed", on);
    b.replaceChildren(Object.assign(make("span", on ? "❚❚" : "▶"), { ariaHidden: "true" }), on ? " Pause" : " Play");
  };
  $("#play").addEventListener("click", () => playing(!timer));

  // Switches.
  const pressed = (b, on) => b.setAttribute("aria-pressed", on);
  const toggle = (id, cls, then) => $(id).addEventListener("click", (e) => {
    const on = root.classList.toggle(cls);
    pressed(e.currentTarget, on);
    if (then) then(on);
  });
  // What was not on the wire is blanked below an element of class "eve": the page, or a run that a thief cannot open.
  const veil = (scope, on) => {
    scope.classList.toggle("eve", on);
    $$(".hid, .hid-part", scope).forEach((e) => { [...e.children].forEach((c) => c.inert = on); });
    $$(".hid-block", scope).forEach((d) => { if (on) d.open = false; $("summary", d).inert = on; });
    closePanel();
  };
  const off = (id) => { if ($(id).getAttribute("aria-pressed") === "true") $(id).click(); };
  $("#eve").addEventListener("click", (e) => {
    off("#thief");
    const on = !root.classList.contains("eve");
    pressed(e.currentTarget, on);
    veil(root, on);
    $("#live").textContent = on ? "Only what was on the wire is shown." : "Everything is shown.";
  });
  toggle("#thief", "thief", (on) => {
    if (on) off("#eve");
    $$(".run").forEach((r) => veil(r, on && !r.dataset.opens));
    $("#live").textContent = on ? $$(".thief-says", runOf(current || root)).map((p) => p.textContent).join() : "Everything is shown.";
  });
  toggle("#quiz", "quiz", (on) => { if (on) ask(); else answerAll(); });
  $("#all").addEventListener("click", (e) => {
    const one = root.classList.toggle("one");
    pressed(e.currentTarget, !one);
    if (current) show(current.id);
  });
  $$("[data-go-run]").forEach((b) => b.addEventListener("click", () => {
    const run = $$(".run").find((r) => r.dataset.run === b.dataset.goRun);
    const same = current && current.id.slice(runOf(current).dataset.run.length);
    go((byID.get(b.dataset.goRun + same) || $(".step", run)).id);
  }));

  // Bytes and fields.
  const light = (glass, from, to, scroll) => {
    $$(".lit", glass).forEach((e) => e.classList.remove("lit"));
    if (from === undefined) return;
    const fields = $$(".f", glass);
    fields.forEach((f) => {
      const o = Number(f.dataset.o), inside = o >= from && o + Number(f.dataset.n) <= to;
      if (!inside) return;
      $$(`b[data-f="${f.dataset.f}"]`, glass).forEach((b) => b.classList.add("lit"));
    });
    if (scroll) {
      const b = $("b.lit", glass), box = $(".dump", glass);
      if (b && (b.offsetTop < box.scrollTop + box.offsetTop || b.offsetTop > box.scrollTop + box.offsetTop + box.clientHeight - 24)) box.scrollTop = b.offsetTop - box.offsetTop - 24;
    }
  };
  const tell = (glass, f) => {
    const path = [];
    for (let e = f, level = Infinity; e; e = e.previousElementSibling) {
      const l = Number(e.ariaLevel);
      if (l < level) { level = l; path.unshift($(".fn", e).textContent); }
    }
    const v = $(".fv", f) || $(".fs", f);
    $(".pointed", glass).textContent = path.slice(-3).join(" › ") + (v ? ": " + v.textContent : "") + ` · bytes ${f.dataset.o} to ${Number(f.dataset.o) + Number(f.dataset.n) - 1}`;
  };
  const field = (glass, f, scroll) => {
    const o = Number(f.dataset.o);
    light(glass, o, o + Number(f.dataset.n), scroll);
    f.classList.add("lit");
    tell(glass, f);
  };
  $$(".glass").forEach((glass) => {
    const rows = $$(".f", glass);
    rows.forEach((r, i) => r.tabIndex = i ? -1 : 0);
    glass.addEventListener("mouseover", (e) => {
      const f = e.target.closest(".f"), b = e.target.closest("b[data-f]");
      if (f) field(glass, f, true);
      if (!b) return;
      const row = rows[Number(b.dataset.f)], box = $(".tree", glass);
      field(glass, row, false);
      if (row.offsetTop < box.scrollTop + box.offsetTop || row.offsetTop > box.scrollTop + box.offsetTop + box.clientHeight - 30) box.scrollTop = row.offsetTop - box.offsetTop - box.clientHeight / 3;
    });
    glass.addEventListener("mouseleave", () => light(glass));
    glass.addEventListener("focusin", (e) => { const f = e.target.closest(".f"); if (f) field(glass, f, true); });
    glass.addEventListener("keydown", (e) => {
      const at = rows.indexOf(e.target), to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[e.key];
      if (at < 0 || to === undefined) return;
      e.preventDefault();
      const next = rows[Math.max(0, Math.min(rows.length - 1, to))];
      rows[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  });
  $$(".rung").forEach((a) => a.addEventListener("click", (e) => {
    const d = document.getElementById(a.dataset.step + "-bytes");
    if (d && !(a.closest(".eve") && d.classList.contains("hid-block"))) d.open = true;
    if (current && current.id === a.dataset.step) { e.preventDefault(); show(a.dataset.step, true); }
  }));

  // Copying. A page from a file may not have the clipboard's API.
  const copy = async (b, text) => {
    try { await navigator.clipboard.writeText(text); } catch {
      const t = make("textarea", text);
      document.body.append(t);
      t.select();
      document.execCommand("copy");
      t.remove();
    }
    b.textContent = "Copied";
    $("#live").textContent = "Copied";
    setTimeout(() => b.textContent = "Copy", 1500);
  };
  document.addEventListener("click", (e) => {
    const b = e.target.closest(".copy");
    if (b) copy(b, $("pre", b.closest(".command")).textContent);
  });

  // The family of a secret.
  let panel = null;
  const closePanel = () => {
    if (panel) panel.remove();
    panel = null;
    $$(".val.lit, .slot.lit").forEach((e) => e.classList.remove("lit"));
  };
  const family = (run, name) => {
    const all = new Map(secretsOf(run).map((s) => [s.name, s])), found = new Set([name]);
    const walk = (n, way) => (all.get(n)?.[way] || []).forEach((m) => { found.add(m); walk(m, way); });
    walk(name, "from");
    walk(name, "into");
    return found;
  };
  const inspect = (run, name, back) => {
    const s = secretsOf(run).find((x) => x.name === name);
    closePanel();
    if (!s || (run.closest(".eve") && !s.public && !s.anyone)) return;
    const kin = family(run, name);
    $$("[data-secret]", run).forEach((e) => e.classList.toggle("lit", kin.has(e.dataset.secret)));
    panel = make("div", undefined, "panel s-" + name);
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-label", name);
    const close = make("button", "Close", "close");
    close.addEventListener("click", () => { closePanel(); if (back) back.focus(); });
    panel.append(close, make("h4", name));
    const link = make("a", `born at ${s.title}`);
    link.href = "#" + s.step;
    const born = make("p", undefined, "row");
    born.append(link, s.public || /^psk_binder/.test(name) || s.anyone && /verify_data$/.test(name) ? " · sent in the clear" : s.anyone ? " · never sent, but anybody can compute it" : /verify_data$/.test(name) ? " · sent encrypted" : " · never sent");
    panel.append(born);
    const hidden = root.classList.contains("quiz") && $(".asking[data-quiz]") && $$(".asking").some((q) => q.dataset.quiz === name);
    if (!hidden) panel.append(make("p", s.client || s.server || s.print, "row val"));
    for (const [word, list] of [["made from", s.from], ["goes into", s.into]]) {
      const hashed = word === "made from" && s.hashed, whole = hashed && name === "session_hash";
      if (!list || !list.length) continue;
      const row = make("p", word + (whole ? ` ${s.hashed}, whole; in them are ` : " "), "row");
      for (const n of list) {
        const b = make("button", n, "kin s-" + n);
        b.addEventListener("click", () => inspect(run, n, back));
        row.append(b);
      }
      if (hashed && !whole) row.append(` and the hash of ${s.hashed}`);
      panel.append(row);
    }
    if (s.command && !(run.closest(".eve") && /^psk_binder/.test(name))) { // it has the key
      const box = make("div", undefined, "command"), head = make("div", undefined, "command-head");
      head.append(make("h5", "compute it yourself"), Object.assign(make("button", "Copy", "copy"), { type: "button" }));
      box.append(head, make("pre", s.command));
      panel.append(box);
    }
    document.body.append(panel);
    close.focus({ preventScroll: true });
  };
  document.addEventListener("click", (e) => {
    const v = e.target.closest("[data-secret]");
    if (v && v.dataset.secret) inspect(runOf(v), v.dataset.secret, v);
  });
  $$(".slot").forEach((b) => {
    const s = secretsOf(runOf(b)).find((x) => x.name === b.dataset.secret);
    if (s && !s.public && !s.anyone) b.classList.add("secret");
  });
  $$(".chip").forEach((c) => { if (/_random/.test(c.getAttribute("class"))) c.classList.add("public"); });

  // The quiz: values of the current step are hidden, and what is pasted is checked.
  const clean = (s) => s.replace(/0x|[\s:,"']/gi, "").toLowerCase();
  const ask = () => {
    answerAll();
    $$(".quizzable", current || undefined).forEach((q) => {
      if (!current || !q.dataset.answer) return;
      q.classList.add("asking");
      const form = make("div", undefined, "ask"), input = make("input"), out = make("output"), check = make("button", "Check"), tell = make("button", "Show");
      input.setAttribute("aria-label", "Your " + q.dataset.quiz + ", in hex");
      input.placeholder = "paste your " + q.dataset.quiz + ", in hex";
      input.autocomplete = "off";
      const judge = () => {
        const got = clean(input.value), want = q.dataset.answer;
        let at = 0;
        while (at < want.length && got[at] === want[at]) at++;
        const right = got === want;
        out.className = right ? "right" : "wrong";
        if (right) out.textContent = "✓ Right, all " + want.length / 2 + " bytes.";
        else if (!/^[0-9a-f]*$/.test(got)) out.textContent = "That is not hex.";
        else if (got.length !== want.length) out.textContent = `Not yet: you have ${got.length / 2} bytes, it has ${want.length / 2}.` + (at >= 8 ? ` The first ${at >> 1} are right.` : "");
        else out.textContent = at >= 2 ? `Not yet: the first ${at >> 1} bytes are right.` : "Not yet: it differs from the first byte on. Look at the order of the inputs, and at the label.";
        if (right) setTimeout(() => answer(q), 1200);
      };
      check.type = tell.type = "button";
      check.addEventListener("click", judge);
      tell.addEventListener("click", () => answer(q));
      input.addEventListener("keydown", (e) => { if (e.key === "Enter") judge(); });
      form.append(input, check, tell, out);
      q.append(form);
    });
    hideAsked();
    if (current && !$(".asking", current)) $("#live").textContent = "This step has nothing to compute. Go on to a derivation.";
  };
  const answer = (q) => { q.classList.remove("asking"); $$(".ask", q).forEach((f) => f.remove()); hideAsked(); };
  const hideAsked = () => { // where the step shows an answer once more
    const asked = new Set($$(".asking").map((q) => q.dataset.answer));
    $$(".in .val", current || undefined).forEach((v) => v.classList.toggle("asked", asked.has(v.textContent)));
  };
  const answerAll = () => $$(".asking").forEach(answer);

  // The glossary.
  const dialog = $("#dialog");
  const words = () => {
    if (!$("#dialog-body").firstChild) $("#dialog-body").append($(".glossary").cloneNode(true));
    dialog.showModal();
    // Afterwards, so that the key that opened it is not taken for a word.
    setTimeout(() => { $("#find").value = ""; filter(); $("#find").focus(); }, 30);
  };
  $("#words").addEventListener("click", words);
  dialog.addEventListener("keydown", (e) => { if (e.key === "Escape") { e.preventDefault(); dialog.close(); } });
  $("#dialog-close").addEventListener("click", () => dialog.close());
  const filter = () => {
    const want = $("#find").value.toLowerCase();
    $$(".glossary > div", dialog).forEach((d) => d.hidden = !d.textContent.toLowerCase().includes(want));
  };
  $("#find").addEventListener("input", filter);

  // Keys.
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && panel) { closePanel(); return; }
    if (e.ctrlKey || e.metaKey || e.altKey || dialog.open || e.target.closest("input, textarea, select")) return;
    if (e.key === " " && e.target.closest("button, a, summary, [tabindex='0']")) return;
    const press = { a: "#all", e: "#eve", k: "#thief", q: "#quiz" }[e.key];
    if (e.key === "ArrowRight") turn(1);
    else if (e.key === "ArrowLeft") turn(-1);
    else if (e.key === " ") playing(!timer);
    else if (e.key >= "1" && e.key <= "9") chapter(e.key);
    else if (e.key === "?") words();
    else if (e.key === "b") { opened = !opened; const d = current && document.getElementById(current.id + "-bytes"); if (d) d.open = opened; }
    else if (press) $(press).click();
    else return;
    e.preventDefault();
  });
  let shut = [];
  window.addEventListener("beforeprint", () => { shut = $$("details:not([open])"); shut.forEach((d) => d.open = true); });
  window.addEventListener("afterprint", () => shut.forEach((d) => d.open = false));

  root.classList.add("js", "one");
  const first = decodeURIComponent(location.hash.slice(1));
  show(first) || ($("#compare") ? show("compare") : show(steps[0].id));
})();
