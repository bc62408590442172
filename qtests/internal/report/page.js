"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const root = document.getElementById("charts");
const W = Math.min(1080, Math.max(360, root.clientWidth - 34)), L = 64, R = 10, TOP = 14, H = 150, LANE = 24, BOTTOM = 22;
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
const show = (v, unit) => v == null ? "–" : unit === "seconds" ? span(v) :
  (Math.abs(v) >= 1e6 ? round(v / 1e6, 3) + "M" : Math.abs(v) >= 1e4 ? round(v / 1e3, 3) + "k" : round(v, 4)) + (unit === "rate" ? "/s" : "");
const nice = (range, n) => {
  const raw = range / n, p = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map(k => k * p).find(x => x >= raw);
};
const timeStep = range => [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000].find(x => range / x <= W / 120) || range / 8;
const X = t => L + (t - from) / (to - from) * (W - L - R);
const T = x => from + (x - L) / (W - L - R) * (to - from);
const at = (s, t) => s.values[Math.floor(t / s.width + 1e-9)];

function ticks(svg, height) {
  const step = timeStep(to - from);
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to * (1 + 1e-12); i++) {
    const x = X(i * step);
    el("line", {class: "grid", x1: x, x2: x, y1: TOP, y2: height - BOTTOM}, svg);
    el("text", {x: Math.min(x, W - 18), y: height - 6, "text-anchor": "middle"}, svg, clock(i * step));
  }
}
function behind(svg, height) {
  for (const b of D.bands) if (b.to > from && b.from < to) {
    const x = X(Math.max(b.from, from)), r = el("rect", {class: "band", x, y: TOP, width: Math.max(X(Math.min(b.to, to)) - x, 1.5), height: height - TOP - BOTTOM}, svg);
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
function lanes(chart, svg, height) {
  behind(svg, height);
  chart.lanes.forEach((lane, i) => {
    const y = TOP + 4 + i * LANE * 1.55;
    el("text", {class: "lane", x: L, y: y + 9}, svg, lane.name);
    for (const p of lane.spans) if (p.to > from && p.from < to) {
      const x = X(Math.max(p.from, from));
      const r = el("rect", {class: "phase " + p.tone, x, y: y + 14, width: Math.max(X(Math.min(p.to, to)) - x, 2), height: LANE - 10, rx: 2}, svg);
      el("title", {}, r, `${p.state}, ${clock(p.from)} to ${clock(p.to)}`);
    }
  });
  el("line", {class: "axis", x1: L, x2: W - R, y1: height - BOTTOM, y2: height - BOTTOM}, svg);
}
const figures = D.charts.map(chart => {
  const f = el("figure", {}, root), caption = el("figcaption", {}, f);
  el("b", {}, caption, chart.title);
  const outputs = (chart.series || chart.lanes).map(s => {
    const key = el("span", {class: "key"}, caption);
    if (chart.series) el("i", {style: `--c: var(--c${s.color})`}, key);
    key.append(s.name);
    return el("output", {}, key);
  });
  if (chart.note) el("span", {class: "key"}, caption, chart.note);
  const height = chart.lanes ? TOP + chart.lanes.length * LANE * 1.55 + BOTTOM + 4 : H + TOP + BOTTOM;
  const svg = el("svg", {viewBox: `0 0 ${W} ${height}`, role: "img", "aria-label": chart.title + " over time"}, f);
  const fig = {chart, svg, height, outputs};
  if (chart.series && chart.unit === "seconds") {
    const b = el("button", {type: "button"}, caption, chart.log ? "linear" : "logarithmic");
    b.onclick = () => { chart.log = !chart.log; b.textContent = chart.log ? "linear" : "logarithmic"; paint(fig); };
  }
  return fig;
});
function paint(fig) {
  fig.svg.replaceChildren();
  ticks(fig.svg, fig.height);
  (fig.chart.lanes ? lanes : lines)(fig.chart, fig.svg, fig.height);
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
    fig.time.textContent = on ? clock(cursor) : "";
    if (on) for (const a of ["x1", "x2"]) fig.line.setAttribute(a, X(cursor));
    if (on) fig.time.setAttribute("x", Math.min(Math.max(X(cursor), L + 20), W - 40));
    (fig.chart.series || fig.chart.lanes).forEach((s, i) => {
      fig.outputs[i].textContent = !on ? "" : fig.chart.series ? show(at(s, cursor), fig.chart.unit) :
        (s.spans.find(p => p.from <= cursor && cursor < p.to) || {state: "–"}).state;
    });
  }
}
const paintAll = () => figures.forEach(paint);
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
root.onkeydown = e => {
  const step = (to - from) / 100, c = cursor === null ? (from + to) / 2 : cursor, q = (to - from) / 4;
  switch (e.key) {
    case "ArrowLeft": cursor = Math.max(from, c - step); break;
    case "ArrowRight": cursor = Math.min(to, c + step); break;
    case "+": case "=": zoom(c - q, c + q); break;
    case "-": zoom(from - 2 * q, to + 2 * q); break;
    case "0": case "Escape": zoom(0, D.span); break;
    default: return;
  }
  e.preventDefault();
  read();
};
paintAll();
const every = +document.body.dataset.refresh, box = document.getElementById("query");
if (every) setInterval(() => {
  if (!box || document.activeElement !== box && box.value === box.defaultValue) location.reload();
}, every * 1000);
})();
