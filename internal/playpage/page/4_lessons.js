// Lessons.
const doneKey = "vitrine-playground-goals"; // "3.0" is the first goal of lesson 3
let done = new Set();
try { done = new Set(JSON.parse(localStorage.getItem(doneKey) || "[]")); } catch { /* a page from a file may have no storage */ }
const setupOf = (setup) => format({ lesson: 0, setup, acts: [], step: null });
const goalsOf = (n) => $$(`#lesson-${n} .goal`);
const whole = (n) => goalsOf(n).every((_, i) => done.has(`${n}.${i}`));
let lessonShown = -1;
const showLesson = () => {
  $$(".lesson").forEach((l) => l.classList.toggle("here", Number(l.dataset.number) === state.lesson));
  $$("#lessons [data-lesson]").forEach((a) => {
    const n = Number(a.dataset.lesson);
    if (n === state.lesson) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
    $(".done", a).hidden = !whole(n);
  });
  if (state.lesson) {
    $$(`#lesson-${state.lesson} [data-position]`).forEach((b, i) => b.setAttribute("aria-pressed", setupOf(knobs[state.lesson][i]) === setupOf(state.setup)));
    goalsOf(state.lesson).forEach((e, i) => {
      const met = done.has(`${state.lesson}.${i}`);
      e.classList.toggle("met", met);
      $(".state", e).textContent = met ? ": done" : ": not yet";
    });
    $(`#lesson-${state.lesson}`).classList.toggle("whole", whole(state.lesson));
  }
  if (lessonShown !== state.lesson) {
    $("#lessons").hidden = lessonShown >= 0 || state.lesson !== 0;
    expand("#lessons-button", "#lessons");
  }
  lessonShown = state.lesson;
};
const showGoals = (list) => {
  const fresh = list.map((i) => `${state.lesson}.${i}`).filter((k) => !done.has(k));
  goalsOf(state.lesson).forEach((e, i) => e.classList.toggle("now", list.includes(i)));
  if (!fresh.length) return;
  fresh.forEach((k) => done.add(k));
  try { localStorage.setItem(doneKey, JSON.stringify([...done])); } catch { /* not kept, then */ }
  showLesson();
  say(whole(state.lesson) ? "That was the last goal: the lesson is done." : "A goal is reached.");
};
const toLesson = (n) => {
  opened.clear();
  go({ lesson: n, setup: knobs[n] ? { ...knobs[n][0] } : state.setup, acts: knobs[n] ? [] : state.acts, step: null, glass: "", at: null });
  $("#lessons").hidden = true;
  expand("#lessons-button", "#lessons");
  window.scrollTo(0, 0);
  $(".aside").scrollTop = 0;
  const h = $(`#lesson-${n}-title`);
  if (h) h.focus({ preventScroll: true });
};
$$("#lessons [data-lesson]").forEach((a) => a.addEventListener("click", (e) => { e.preventDefault(); toLesson(Number(a.dataset.lesson)); }));
$("#free").addEventListener("click", (e) => { e.preventDefault(); toLesson(0); });
// A tool may try a few hundred runs: it has a worker of its own, and the page stays alive.
const useTool = async (b) => {
  const mine = state, e = new Engine(module);
  b.disabled = true;
  say("Working.");
  try {
    await e.ready;
    const acts = await e.call("tool", { setup: state.setup, tool: b.dataset.tool });
    if (state.lesson === mine.lesson) go({ acts, step: null, glass: "" });
  } catch (err) {
    $("#verdict").dataset.outcome = "problem";
    text("#sentence", "This cannot be done here: " + reason(err) + ".");
    text("#consequence", "");
  } finally {
    e.end();
    b.disabled = false;
  }
};
$$(".lesson").forEach((e) => {
  const n = Number(e.dataset.number), prev = $(".prev", e), next = $(".next", e);
  [[prev, n - 1], [next, n + 1]].forEach(([a, to]) => {
    a.hidden = !knobs[to];
    a.href = "#lesson=" + to;
    a.addEventListener("click", (ev) => { ev.preventDefault(); toLesson(to); });
  });
  // another position is another handshake: bytes that were changed in the one before are others in it
  $$("[data-position]", e).forEach((b, i) => b.addEventListener("click", () => go({ setup: { ...knobs[n][i] }, acts: [], step: null, glass: "" })));
  $$("[data-tool]", e).forEach((b) => b.addEventListener("click", () => useTool(b)));
});

// The handshake's setup.
const expand = (b, panel) => $(b).setAttribute("aria-expanded", !$(panel).hidden);
const panel = (b, p, opens) => $(b).addEventListener("click", () => {
  $(p).hidden = !$(p).hidden;
  if (opens && !$(p).hidden) opens();
  expand(b, p);
  if (!$(p).hidden) { $(p).scrollIntoView({ block: "nearest" }); const f = $("select, a, input", $(p)); if (f) f.focus(); }
});
panel("#lessons-button", "#lessons");
panel("#setup-button", "#setup", () => { if (choices && !inputs.version) buildSetup(); showSetup(); });
const only13 = ["early_data", "retry", "key_update"];
const change = (k, v) => {
  const setup = { ...state.setup };
  if (v) setup[k] = v; else delete setup[k];
  if (k === "version") { delete setup.suite; if (v !== "1.3") only13.forEach((o) => delete setup[o]); }
  if (only13.includes(k) && v) { setup.version = "1.3"; delete setup.old_server; }
  if (k === "early_data" && v) setup.resume = true;
  if (k === "old_server" && v) only13.forEach((o) => delete setup[o]);
  if (k === "resume" && !v) delete setup.early_data;
  if (k === "suite") delete setup.certificate;
  go({ setup, step: null, glass: "" });
};
const inputs = {};
const buildSetup = () => {
  const f = $("#setup");
  f.addEventListener("submit", (e) => e.preventDefault());
  f.append(make("h2", "The handshake"));
  const row = (k, name, input) => {
    const l = make("label", name);
    input.id = "setup-" + k;
    l.htmlFor = input.id;
    inputs[k] = input;
    f.append(l, input);
    return input;
  };
  const list = (k, name, values) => {
    const s = row(k, name, make("select"));
    fill(s, values);
    s.addEventListener("change", () => change(k, s.value));
  };
  const line = (k, name, hint, type = "text") => {
    const i = row(k, name, make("input"));
    i.type = type;
    i.placeholder = hint;
    i.autocomplete = "off";
    i.addEventListener("change", () => change(k, type === "number" ? Number(i.value) : unescaped(i.value)));
  };
  const check = (k, name) => {
    const l = make("label", undefined, "check"), i = make("input");
    i.type = "checkbox";
    i.addEventListener("change", () => change(k, i.checked));
    l.append(i, name);
    inputs[k] = i;
    f.append(l);
  };
  list("version", "Version", [["", "TLS 1.2"], ["1.3", "TLS 1.3"]]);
  list("suite", "Cipher suite", []);
  list("group", "Group", [["", "x25519, or ffdhe2048 for DHE"], ...choices.groups.map((g) => [g, g])]);
  list("certificate", "Server's key", [["", "what the suite needs"], ...choices.kinds.map((g) => [g, g])]);
  list("flaw", "Its certificate", choices.flaws.map((g) => [g, g ? "wrong: " + g : "as it should be"]));
  check("extended_master_secret", "extended master secret (RFC 7627)");
  check("encrypt_then_mac", "encrypt, then MAC (RFC 7366)");
  check("client_certificate", "a client certificate");
  check("resume", "resumes an earlier connection");
  check("early_data", "early data (0-RTT)");
  check("retry", "the client guesses the wrong group (HelloRetryRequest)");
  check("key_update", "new keys before the request (KeyUpdate)");
  check("both", "both sides speak TLS 1.2 and 1.3");
  check("old_server", "the server speaks TLS 1.2 alone");
  list("careless", "Careless twin", choices.careless.map((g) => [g, g || "no: the library as it is"]));
  line("request", "Request", escaped(choices.request));
  line("response", "Answer", escaped(choices.response));
  line("pieces", "Bytes a record", "as many as fit", "number");
  line("seed", "Seed", "all keys and randomness follow from it");
};
const escaped = (s) => s.replace(/\\/g, "\\\\").replace(/\r/g, "\\r").replace(/\n/g, "\\n");
const unescaped = (s) => s.replace(/\\(.)/g, (_, c) => ({ r: "\r", n: "\n" })[c] || c);
const fill = (s, values) => s.replaceChildren(...values.map(([v, name]) => { const o = make("option", name); o.value = v; return o; }));
let suitesOf = "";
const showSetup = () => {
  if ($("#setup").hidden || !inputs.version) return;
  const version = state.setup.version || "1.2";
  if (suitesOf !== version) {
    fill(inputs.suite, [["", "the usual one"], ...choices.suites[version].map((s) => [s.name, s.name])]);
    suitesOf = version;
  }
  for (const [k, i] of Object.entries(inputs)) {
    if (i.type === "checkbox") i.checked = Boolean(state.setup[k]);
    else if (k === "version") i.value = version === "1.3" ? "1.3" : "";
    else if (document.activeElement !== i || i.tagName === "SELECT") i.value = typeof state.setup[k] === "string" ? escaped(state.setup[k]) : state.setup[k] || "";
  }
};

// Keys and buttons.
$("#undo").addEventListener("click", () => { if (state.acts.length) go({ acts: state.acts.slice(0, -1) }); });
$("#clear").addEventListener("click", () => go({ acts: [] }));
$("#share").addEventListener("click", async (e) => {
  const b = e.currentTarget, link = location.href;
  try { await navigator.clipboard.writeText(link); } catch {
    const t = make("textarea", link);
    document.body.append(t);
    t.select();
    document.execCommand("copy");
    t.remove();
  }
  b.textContent = "Copied";
  say("The link is copied: it holds all that you see.");
  setTimeout(() => { b.textContent = "Copy link"; }, 1500);
});
const dialog = $("#dialog");
$("#keys-button").addEventListener("click", () => dialog.showModal());
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || dialog.open || e.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select")) return;
  const press = { l: "#lessons-button", h: "#setup-button", c: "#sweep-button", u: "#undo", "[": "#back", "]": "#forward", "?": "#keys-button" }[e.key];
  if (press) $(press).click();
  else if (e.key === "w") focusWire();
  else if (e.key === "g") { const h = $("#glass h3") || $("#glass-nav a"); if (h) { h.tabIndex = -1; h.focus(); } }
  else if (e.key === "Escape" && state.at) $("#insp-close").click();
  else return;
  e.preventDefault();
});

// The beginning.
root.classList.add("js");
root.dataset.shown = root.dataset.glass = 0;
showLesson();
const begin = async () => {
  try {
    const e = new Engine(brought());
    module = await e.ready;
    engine = e;
  } catch (err) {
    $("#verdict").dataset.outcome = "problem";
    text("#sentence", "The playground does not start here.");
    text("#consequence", String(err.message || err));
    root.dataset.broken = "true";
    return;
  }
  const shown = refresh();
  choices = await engine.call("choices");
  await shown;
  root.dataset.ready = Math.round(performance.now());
};
begin();
