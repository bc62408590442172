"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const root = document.getElementById("charts");
const R = 10, TOP = 14, H = 150, LANE = 24, BOTTOM = 22;
let W = 1080, L = 64; // of the space that there is: see fit
let from = 0, to = D.span, cursor = null;

const el = (name, attrs = {}, parent, text) => {
  const svg = ["svg", "g", "path", "line", "rect", "text", "circle", "title", "polygon"].includes(name);
  const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  if (text !== undefined) e.textContent = text;
  if (parent) parent.append(e);
  return e;
};
const round = (x, digits) => String(+x.toPrecision(digits));
const span = s => {
  if (s === 0) return "0";
  if (s < 0.001) return round(s * 1e6, 3) + " µs";
  if (s < 1) return round(s * 1e3, 3) + " ms";
  if (s < 120) return round(s, 3) + " s";
  if (s < 7200) return round(s / 60, 3) + " min";
  return round(s / 3600, 3) + " h";
};
const clock = s => {
  const total = Math.round(s * 1000), sec = Math.floor(total / 1000), ms = total % 1000;
  const d = Math.floor(sec / 86400), h = Math.floor(sec / 3600) % 24, m = Math.floor(sec / 60) % 60, x = sec % 60;
  const tail = ms ? "." + String(ms).padStart(3, "0").replace(/0+$/, "") : "";
  return (d ? d + "d " : "") + (d || h ? h + "h" : "") + (d || h || m ? String(m).padStart(d || h ? 2 : 1, "0") + "m" : "") +
    (x || ms || sec < 60 ? (sec >= 60 ? String(x).padStart(2, "0") : x) + tail + "s" : "");
};
const show = (v, unit) => v == null ? "–" : unit === "seconds" ? span(v) : unit === "share" ? round(v * 100, 3) + "%" :
  (Math.abs(v) >= 1e6 ? round(v / 1e6, 3) + "M" : Math.abs(v) >= 1e4 ? round(v / 1e3, 3) + "k" : round(v, 4)) + (unit === "rate" ? "/s" : "");
const nice = (range, n) => {
  const raw = range / n, p = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map(k => k * p).find(x => x >= raw);
};
const two = n => String(n).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const day = d => d.getUTCDate() + " " + months[d.getUTCMonth()];
// when is an instant as the axis writes it: a time after the start, or where the start has a date, date and time (UTC).
const when = (s, step) => {
  if (D.origin === null) return clock(s);
  const d = new Date((D.origin + s) * 1000), time = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
  const full = step < 60 ? time + ":" + two(d.getUTCSeconds()) : time;
  return step >= 86400 || full === "00:00" ? day(d) : full;
};
const instant = s => D.origin === null ? clock(s) : day(new Date((D.origin + s) * 1000)) + " " + when(s, s % 60 ? 1 : 60);
const timeStep = range => [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000].find(x => range / x <= (W - L - R) / (W < 560 ? 72 : 105)) || range / 8;
const X = t => L + (t - from) / (to - from) * (W - L - R);
const T = x => from + (x - L) / (W - L - R) * (to - from);
const at = (s, t) => s.values[Math.floor(t / s.width + 1e-9)];

function ticks(svg, height) {
  const step = timeStep(to - from), zero = D.origin === null ? 0 : D.origin;
  for (let i = Math.ceil((from + zero) / step - 1e-9); i * step - zero <= to * (1 + 1e-12); i++) {
    const t = i * step - zero, x = X(t);
    el("line", {class: "grid", x1: x, x2: x, y1: TOP, y2: height - BOTTOM}, svg);
    el("text", {x: Math.min(x, W - 18), y: height - 6, "text-anchor": "middle"}, svg, when(t, step));
  }
}
function behind(svg, height) {
  for (const [kind, all] of [["band", D.bands], ["broken", D.broken || []]]) for (const b of all) if (b.to > from && b.from < to) {
    const x = X(Math.max(b.from, from)), r = el("rect", {class: kind, x, y: TOP, width: Math.max(X(Math.min(b.to, to)) - x, 3), height: height - TOP - BOTTOM}, svg);
    el("title", {}, r, b.text);
  }
  for (const m of D.marks) if (m.at >= from && m.at <= to) {
    const x = X(m.at);
    el("line", {class: "mark " + m.kind, x1: x, x2: x, y1: TOP, y2: height - BOTTOM}, svg);
    const f = el("polygon", {class: "flag " + m.kind, points: `${x - 4},${TOP - 9} ${x + 4},${TOP - 9} ${x},${TOP - 1}`}, svg);
    el("title", {}, f, `${m.when}  ${m.who}: ${m.text}`);
  }
}
function lines(chart, svg, height) {
  let max = 0, min = Infinity, least = 0;
  for (const s of chart.series) s.values.forEach((v, i) => {
    if (v == null || (i + 1) * s.width < from || i * s.width > to) return;
    max = Math.max(max, v);
    if (v > 0) min = Math.min(min, v);
    least = Math.min(least, v);
  });
  const limits = chart.limits || [];
  for (const l of limits) if (chart.log || l.value <= 4 * max || max === 0) max = Math.max(max, l.value);
  if (max === 0 && least === 0) max = 1;
  const log = chart.log && min < max && least === 0, base = height - BOTTOM, step = nice(max - least, 4);
  const low = log ? 10 ** Math.floor(Math.log10(min)) : Math.floor(least / step + 1e-9) * step;
  const high = log ? 10 ** Math.ceil(Math.log10(max)) : Math.ceil(max / step - 1e-9) * step;
  const Y = v => base - (base - TOP) * (log ? Math.log10(Math.max(v, low) / low) / Math.log10(high / low) : (v - low) / (high - low));
  const levels = [];
  if (log) for (let v = low; v <= high * 1.001; v *= 10) levels.push(v);
  else for (let i = Math.round(low / step); i * step <= high + step / 1000; i++) levels.push(i * step);
  for (const v of levels) {
    el("line", {class: "grid", x1: L, x2: W - R, y1: Y(v), y2: Y(v)}, svg);
    el("text", {x: L - 8, y: Y(v) + 4, "text-anchor": "end"}, svg, show(v, chart.unit));
  }
  behind(svg, height);
  for (const s of chart.series) draw(s, svg, Y, base);
  for (const l of limits) {
    const above = l.value > high, y = above ? TOP : Y(l.value);
    if (!above) el("line", {class: "limit " + l.tone, x1: L, x2: W - R, y1: y, y2: y}, svg);
    el("text", {class: "limit " + l.tone, x: W - R, y: above || y < TOP + 12 ? y + 11 : y - 4, "text-anchor": "end"}, svg, l.text + (above ? " ↑" : ""));
  }
  el("line", {class: "axis", x1: L, x2: W - R, y1: base, y2: base}, svg);
}
function draw(s, svg, Y, base) {
  const color = `var(--c${s.color})`, first = Math.max(Math.floor(from / s.width) - 1, 0), last = Math.min(Math.ceil(to / s.width) + 1, s.values.length);
  const narrow = s.width / (to - from) * (W - L - R) < 3;
  let path = "", dots = "", run = [];
  const flush = () => {
    if (!run.length) return;
    if (s.area) {
      path += `M${run[0][0]} ${base}` + run.map(([a, b, y]) => `L${a} ${y}L${b} ${y}`).join("") + `L${run.at(-1)[1]} ${base}Z`;
    } else if (run.length === 1 && run[0][1] - run[0][0] < 4) { // too short for a line
      dots += `M${(run[0][0] + run[0][1]) / 2} ${run[0][2]}h.01`;
    } else if (narrow && run.length > 1) {
      path += "M" + run.map(([a, b, y]) => `${((a + b) / 2).toFixed(2)} ${y}`).join("L");
    } else {
      path += `M${run[0][0]} ${run[0][2]}` + run.map(([a, b, y]) => `L${a} ${y}L${b} ${y}`).join("");
    }
    run = [];
  };
  for (let i = first; i < last; i++) {
    const v = s.values[i];
    if (v == null) { flush(); continue; }
    const a = Math.min(Math.max(X(i * s.width), L), W - R), b = Math.min(Math.max(X((i + 1) * s.width), L), W - R);
    if (b > a) run.push([a.toFixed(2), Math.max(b, +a + 1.5).toFixed(2), Y(v).toFixed(2)].map(Number));
  }
  flush();
  el("path", {d: path, fill: s.area ? color : "none", "fill-opacity": .35, stroke: color, "stroke-width": s.area ? 1 : 1.6,
    "stroke-linejoin": "round", "stroke-dasharray": s.dashed ? "5 4" : "none"}, svg);
  if (dots) el("path", {d: dots, stroke: color, "stroke-width": 4, "stroke-linecap": "round"}, svg);
}
function heat(chart, svg, height) {
  const h = chart.heat, base = height - BOTTOM, rows = h.tops.length, step = (base - TOP) / rows;
  let most = 1;
  for (const column of h.counts) for (const n of column) most = Math.max(most, n);
  for (let k = 0; k < rows; k += Math.max(1, Math.ceil(rows / 5))) {
    el("text", {x: L - 8, y: base - (k + .5) * step + 4, "text-anchor": "end"}, svg, span(h.tops[k]));
  }
  behind(svg, height);
  h.counts.forEach((column, i) => {
    const a = i * h.width, b = a + h.width;
    if (b <= from || a >= to) return;
    const x = X(Math.max(a, from)), width = Math.max(X(Math.min(b, to)) - x, 1.5);
    column.forEach((n, k) => {
      if (n) el("rect", {class: "heat", x, y: base - (k + 1) * step, width, height: step, "fill-opacity": (.15 + .85 * Math.log1p(n) / Math.log1p(most)).toFixed(2)}, svg);
    });
  });
  el("line", {class: "axis", x1: L, x2: W - R, y1: base, y2: base}, svg);
}
const heatAt = (h, t) => {
  const column = h.counts[Math.floor(t / h.width + 1e-9)], parts = [];
  if (column) column.forEach((n, k) => { if (n) parts.push(n + " to " + span(h.tops[k])); });
  return parts.length > 4 ? parts.slice(0, 2).join(", ") + ", … " + parts.at(-1) : parts.join(", ") || "–";
};
function lanes(chart, svg, height) {
  behind(svg, height);
  chart.lanes.forEach((lane, i) => {
    const y = TOP + 4 + i * LANE * 1.55;
    el("text", {class: "lane", x: L, y: y + 9}, svg, lane.name);
    for (const p of lane.spans) if (p.to > from && p.from < to) {
      const x = X(Math.max(p.from, from));
      const r = el("rect", {class: "phase " + p.tone, x, y: y + 14, width: Math.max(X(Math.min(p.to, to)) - x, 2), height: LANE - 10, rx: 2}, svg);
      el("title", {}, r, `${p.state}, ${instant(p.from)} to ${instant(p.to)}`);
    }
  });
  el("line", {class: "axis", x1: L, x2: W - R, y1: height - BOTTOM, y2: height - BOTTOM}, svg);
}
const figures = D.charts.map(chart => {
  const f = el("figure", {}, root), caption = el("figcaption", {}, f);
  el("b", {}, caption, chart.title);
  const outputs = (chart.heat ? [{name: "requests by how long they took"}] : chart.series || chart.lanes).map(s => {
    const key = el("span", {class: "key"}, caption);
    if (chart.series) el("i", {style: `--c: var(--c${s.color})`}, key);
    key.append(s.name);
    return el("output", {}, key);
  });
  if (chart.note) el("span", {class: "key"}, caption, chart.note);
  const height = chart.lanes ? TOP + chart.lanes.length * LANE * 1.55 + BOTTOM + 4 : H + TOP + BOTTOM;
  const svg = el("svg", {role: "img", "aria-label": chart.title + " over time"}, f);
  const fig = {chart, svg, height, outputs};
  if (chart.series && chart.unit === "seconds") {
    const b = el("button", {type: "button"}, caption, chart.log ? "linear" : "logarithmic");
    b.onclick = () => { chart.log = !chart.log; b.textContent = chart.log ? "linear" : "logarithmic"; paint(fig); };
  }
  return fig;
});
function paint(fig) {
  fig.svg.replaceChildren();
  fig.svg.setAttribute("viewBox", `0 0 ${W} ${fig.height}`);
  ticks(fig.svg, fig.height);
  (fig.chart.heat ? heat : fig.chart.lanes ? lanes : lines)(fig.chart, fig.svg, fig.height);
  fig.brush = el("rect", {class: "brush", y: TOP, height: fig.height - TOP - BOTTOM, visibility: "hidden"}, fig.svg);
  fig.line = el("line", {class: "cursor", y1: TOP, y2: fig.height - BOTTOM, visibility: "hidden"}, fig.svg);
  fig.time = el("text", {y: TOP - 3, "text-anchor": "middle"}, fig.svg, "");
  read();
}
function read() {
  for (const fig of figures) {
    if (!fig.line) continue;
    const on = cursor !== null && cursor >= from && cursor <= to;
    fig.line.setAttribute("visibility", on ? "visible" : "hidden");
    fig.time.textContent = on ? instant(Math.round(cursor)) : "";
    if (on) for (const a of ["x1", "x2"]) fig.line.setAttribute(a, X(cursor));
    if (on) fig.time.setAttribute("x", Math.min(Math.max(X(cursor), L + 20), W - 40));
    if (fig.chart.heat) fig.outputs[0].textContent = on ? heatAt(fig.chart.heat, cursor) : "";
    else (fig.chart.series || fig.chart.lanes).forEach((s, i) => {
      fig.outputs[i].textContent = !on ? "" : fig.chart.series ? show(at(s, cursor), fig.chart.unit) :
        (s.spans.find(p => p.from <= cursor && cursor < p.to) || {state: "–"}).state;
    });
  }
}
const paintAll = () => { figures.forEach(paint); tellRange(); };
// fit makes the drawings as wide as the page: letters keep their size on a phone and on paper.
function fit(width) {
  const box = figures.length ? figures[0].svg.getBoundingClientRect().width : 0;
  W = Math.max(Math.round(width || box || 1080), 260);
  L = W < 560 ? 50 : 64;
  paintAll();
}
// spots are what one may want to see at close range: events, and broken windows.
const spots = [...D.bands.map(b => ({...b, kind: "event"})), ...(D.broken || []).map(b => ({...b, kind: "broken"}))].sort((a, b) => a.from - b.from);
const jumps = document.getElementById("jumps");
const whole = el("button", {type: "button", class: "whole", hidden: ""}, null, "whole run"), range = el("output", {"aria-live": "polite"});
whole.onclick = () => zoom(0, D.span);
function tellRange() {
  const near = from > 0 || to < D.span;
  whole.hidden = !near;
  range.textContent = near ? instant(Math.round(from)) + " – " + instant(Math.round(to)) : "";
}
function open(s) {
  const pad = Math.max((s.to - s.from), D.span / 2000);
  zoom(s.from - pad, s.to + pad);
}
for (const s of spots.slice(0, 12)) {
  const b = el("button", {type: "button", class: s.kind}, jumps, `${s.text} ${instant(s.from)}, ${span(s.to - s.from)}`);
  b.onclick = () => open(s);
}
if (spots.length > 12) el("span", {}, jumps, `and ${spots.length - 12} more (n, p)`);
jumps.append(...(figures.length && D.span > 0 ? [whole, range] : []));
// next and previous go by the middle of what is shown.
function leap(forward) {
  if (!spots.length) return;
  const all = from <= 0 && to >= D.span, middle = (from + to) / 2, c = s => (s.from + s.to) / 2, near = (to - from) * 1e-6;
  const found = forward ? spots.find(s => all || c(s) > middle + near) : spots.findLast(s => all || c(s) < middle - near);
  open(found || (forward ? spots[0] : spots.at(-1)));
}
function zoom(a, b) {
  from = Math.max(0, Math.min(a, b)); to = Math.min(D.span, Math.max(a, b));
  if (to - from < D.span / 1e6) { from = 0; to = D.span; }
  paintAll();
}
let down = null;
const place = (fig, e) => {
  const box = fig.svg.getBoundingClientRect();
  return Math.min(Math.max(T((e.clientX - box.left) / box.width * W), from), to);
};
for (const fig of figures) {
  fig.svg.onpointermove = e => {
    cursor = place(fig, e);
    if (down !== null) for (const f of figures) {
      f.brush.setAttribute("visibility", "visible");
      f.brush.setAttribute("x", Math.min(X(down), X(cursor)));
      f.brush.setAttribute("width", Math.abs(X(down) - X(cursor)));
    }
    read();
  };
  fig.svg.onpointerdown = e => { if (e.pointerType === "mouse" && e.button === 0) down = place(fig, e); };
  fig.svg.onpointerleave = () => { if (down === null) { cursor = null; read(); } };
  fig.svg.ondblclick = () => zoom(0, D.span);
}
addEventListener("pointerup", () => {
  if (down === null) return;
  const a = down; down = null;
  if (cursor !== null && Math.abs(X(a) - X(cursor)) > 6) zoom(a, cursor); else paintAll();
});
// The keys that zoom work wherever the focus is, so that Escape leads back from an event that was opened by its button. The
// arrows scroll the page outside of the charts, as everywhere.
addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input") || e.key?.startsWith("Arrow") && !root.contains(e.target)) return;
  const step = (to - from) / 100, c = cursor === null ? (from + to) / 2 : cursor, q = (to - from) / 4;
  switch (e.key) {
    case "ArrowLeft": cursor = Math.max(from, c - step); break;
    case "ArrowRight": cursor = Math.min(to, c + step); break;
    case "+": case "=": zoom(c - q, c + q); break;
    case "-": zoom(from - 2 * q, to + 2 * q); break;
    case "0": case "Escape": zoom(0, D.span); break;
    case "n": leap(true); break;
    case "p": leap(false); break;
    default: return;
  }
  e.preventDefault();
  read();
});
fit();
addEventListener("resize", () => fit());
addEventListener("beforeprint", () => fit(700));
addEventListener("afterprint", () => fit());
const every = +document.body.dataset.refresh, box = document.getElementById("query");
if (every) setInterval(() => {
  if (!box || document.activeElement !== box && box.value === box.defaultValue) location.reload();
}, every * 1000);
})();
