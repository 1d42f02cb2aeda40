"use strict";
(() => {
  const PAGE = 50;
  const CONTEXT = 90; // characters kept on either side of a span; a gap of more than twice that is folded
  const FIELDS = ["level", "label", "kind", "boundary"];
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("filters");
  const list = document.getElementById("list");
  const heading = document.querySelector("#errors h2");
  const pairNote = document.getElementById("pair");
  let pair = null; // {gold, predicted, boundary?}: labels of a cell; undefined: any, "": nothing on that side
  let shown = [];
  let start = 0;

  const element = (tag, className, ...children) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children);
    return made;
  };
  const number = (value) => value.toLocaleString("en");
  const sentenceOf = (error) => data.sentences[error.sentence];
  const sideLabel = (parts) => (parts && parts.length ? parts[0][0] : "");
  const searchText = data.errors.map((error) =>
    [sentenceOf(error).text, error.gold_value, error.predicted_value].join("\n").toLowerCase());

  // Filters

  const matchesPair = (error) => error.level === "entities" &&
    (pair.gold === undefined || sideLabel(error.gold) === pair.gold) &&
    (pair.predicted === undefined || sideLabel(error.predicted) === pair.predicted);

  const predicates = () => {
    const found = {};
    for (const name of FIELDS) {
      const wanted = form.elements[name].value;
      if (wanted) found[name] = (error) => error[name] === wanted;
    }
    const inDocument = form.elements.document.value.trim().toLowerCase();
    if (inDocument) found.document = (error) => sentenceOf(error).document.toLowerCase().includes(inDocument);
    const text = form.elements.text.value.trim().toLowerCase();
    if (text) found.text = (error, index) => searchText[index].includes(text);
    if (pair) found.pair = matchesPair;
    return found;
  };

  // Each choice is counted under all filters but its own.
  const choices = (name, tests) => {
    const others = Object.keys(tests).filter((key) => key !== name).map((key) => tests[key]);
    const counts = new Map();
    data.errors.forEach((error, index) => {
      const value = error[name];
      if (value && others.every((test) => test(error, index))) counts.set(value, (counts.get(value) || 0) + 1);
    });
    return counts;
  };

  const NAMES = {
    level: (value) => value,
    label: (value) => data.names[value],
    kind: (value) => data.kinds[value].title,
    boundary: (value) => data.boundaries[value].title,
  };
  const KNOWN = Object.fromEntries(FIELDS.map((name) =>
    [name, [...new Set(data.errors.map((error) => error[name]).filter(Boolean))]]));
  const order = { kind: Object.keys(data.kinds), boundary: Object.keys(data.boundaries) };
  for (const name of ["kind", "boundary"]) KNOWN[name].sort((a, b) => order[name].indexOf(a) - order[name].indexOf(b));
  KNOWN.label.sort();

  const fillChoices = (tests) => {
    for (const name of FIELDS) {
      const select = form.elements[name];
      const chosen = select.value;
      const counts = choices(name, tests);
      const options = KNOWN[name].filter((value) => counts.has(value) || value === chosen)
        .map((value) => new Option(`${NAMES[name](value)} (${number(counts.get(value) || 0)})`, value));
      select.replaceChildren(new Option("any", ""), ...options);
      select.value = chosen;
    }
  };

  const apply = () => {
    const tests = predicates();
    const all = Object.values(tests);
    shown = [];
    data.errors.forEach((error, index) => {
      if (all.every((test) => test(error, index))) shown.push(error);
    });
    fillChoices(tests);
    pairNote.hidden = !pair;
    if (pair) {
      const side = (label) => (label === undefined ? "any" : label || "nothing");
      pairNote.firstElementChild.textContent = `gold ${side(pair.gold)} → predicted ${side(pair.predicted)}`;
    }
    start = 0;
    draw();
  };

  // One page of the list

  const draw = () => {
    const end = Math.min(start + PAGE, shown.length);
    const status = document.getElementById("shown");
    status.replaceChildren(element("b", "", number(shown.length)), ` of ${number(data.errors.length)} errors`);
    list.start = start + 1;
    list.replaceChildren(...shown.slice(start, end).map(card));
    if (!shown.length) list.append(element("li", "empty", "No error matches these filters."));
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    for (const pager of document.querySelectorAll(".pager")) {
      pager.hidden = pages === 1;
      pager.querySelector(".page").textContent = `page ${number(start / PAGE + 1)} of ${number(pages)}`;
      pager.querySelector("[data-step='-1']").disabled = start === 0;
      pager.querySelector("[data-step='1']").disabled = end >= shown.length;
    }
  };

  const card = (error) => {
    const sentence = sentenceOf(error);
    const characters = Array.from(sentence.text); // offsets are code points, strings are UTF-16
    const spans = [...sideSpans(error, "gold", sentence, characters), ...sideSpans(error, "predicted", sentence, characters)];
    const source = element("button", "document", sentence.document);
    source.type = "button";
    source.title = "List the errors of this document";
    source.addEventListener("click", () => { form.elements.document.value = sentence.document; apply(); toList(); });
    const head = element("header", "", element("b", "label", data.names[error.label]),
      element("span", "kind", data.kinds[error.kind].title));
    head.lastElementChild.title = data.kinds[error.kind].meaning;
    if (error.boundary) {
      const ends = element("span", "boundary", data.boundaries[error.boundary].title);
      ends.title = data.boundaries[error.boundary].meaning;
      head.append(ends);
    }
    head.append(element("span", "level", error.level), source);
    const made = element("li", "error", head, sentenceElement(characters, spans), sides(error, sentence, characters));
    return made;
  };

  const sideSpans = (error, side, sentence, characters) => (error[side] || []).map(([label, from, to], index) => {
    const letter = side === "gold" ? "G" : "P";
    const role = error.level === "relations" ? ["head", "tail"][index] : label;
    const clamp = (offset) => Math.min(Math.max(offset - sentence.offset, 0), characters.length);
    return { side, tag: `${letter} ${role}`, start: clamp(from), end: clamp(to) };
  });

  const sentenceElement = (characters, spans) => {
    const made = element("p", "sentence");
    made.lang = "zh";
    made.dir = "ltr";
    const cuts = [...new Set([0, characters.length, ...spans.flatMap((span) => [span.start, span.end])])].sort((a, b) => a - b);
    for (let i = 0; i < cuts.length; i += 1) {
      for (const span of spans) if (span.start === cuts[i]) made.append(tag(span));
      if (i + 1 < cuts.length) made.append(...segment(characters, cuts[i], cuts[i + 1], spans));
    }
    return made;
  };

  // The tag's words are drawn by the style sheet: the sentence's own text stays exactly the document's.
  const tag = (span) => {
    const made = element("span", `tag ${span.side}`);
    made.dataset.tag = span.tag;
    made.setAttribute("aria-hidden", "true");
    return made;
  };

  const segment = (characters, from, to, spans) => {
    const covering = spans.filter((span) => span.start <= from && to <= span.end);
    const text = (a, b) => characters.slice(a, b).join("");
    if (covering.length) {
      const names = ["mark", ...new Set(covering.map((span) => span.side))];
      return [element("span", names.join(" "), text(from, to))];
    }
    const left = from === 0 ? from : from + CONTEXT;
    const right = to === characters.length ? to : to - CONTEXT;
    if (right - left <= CONTEXT) return [text(from, to)];
    const more = element("button", "more", `⋯ ${number(right - left)} characters ⋯`);
    more.type = "button";
    more.addEventListener("click", () => more.replaceWith(text(left, right)));
    return [text(from, left), more, text(right, to)];
  };

  const sides = (error, sentence, characters) => {
    const made = element("dl", "sides");
    for (const side of ["gold", "predicted"]) {
      const says = element("dd");
      (error[side] || []).forEach(([label, from, to], index) => {
        if (index) says.append(" → ");
        const text = element("q", "", characters.slice(Math.max(from - sentence.offset, 0), Math.max(to - sentence.offset, 0)).join(""));
        text.lang = "zh";
        says.append(text, " ", element("b", "", label), " ", element("small", "", `${number(from)}–${number(to)}`));
      });
      const value = error[`${side}_value`];
      if (value !== undefined) says.append(says.childNodes.length ? " = " : "", element("span", "value", value));
      if (!says.childNodes.length) says.append(element("i", "", "nothing"));
      made.append(element("div", side, element("dt", "", side), says));
    }
    return made;
  };

  // Events

  const toList = () => {
    heading.scrollIntoView({ block: "start" });
    heading.focus({ preventScroll: true });
  };
  const clear = () => {
    for (const field of form.elements) if (field.name) field.value = "";
    pair = null;
  };
  let waiting = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target.tagName === "SELECT") apply();
    else waiting = setTimeout(apply, 150);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => { event.preventDefault(); clear(); apply(); });
  pairNote.querySelector("button").addEventListener("click", () => { pair = null; apply(); toList(); });
  for (const button of document.querySelectorAll(".pager button")) {
    button.addEventListener("click", () => { start += PAGE * Number(button.dataset.step); draw(); toList(); });
  }
  for (const button of document.querySelectorAll(".matrix button, .boundaries button")) {
    button.addEventListener("click", () => {
      clear();
      pair = { gold: button.dataset.gold, predicted: button.dataset.predicted };
      if (button.dataset.boundary) {
        // Options exist only for what is listed now; clearing first makes all of them.
        const { gold } = button.dataset;
        pair = gold === undefined ? null : { gold };
        fillChoices({});
        form.elements.level.value = "entities";
        form.elements.boundary.value = button.dataset.boundary;
      }
      apply();
      toList();
    });
  }

  const groups = document.getElementById("group");
  if (groups) {
    const place = document.getElementById("group-scores");
    const everything = [...place.childNodes];
    groups.addEventListener("change", () => {
      const template = document.querySelector(`template[data-group="${groups.value}"]`);
      place.replaceChildren(...(template ? template.content.cloneNode(true).childNodes : everything));
    });
  }

  const documents = [...new Set(data.sentences.map((sentence) => sentence.document))].sort();
  document.getElementById("documents").append(...documents.map((name) => new Option(name, name)));
  for (const hidden of [form, ...document.querySelectorAll(".bar")]) hidden.hidden = false;
  apply();
})();
