// Charts: [data-chart='JSON'] holds what to draw, as the server computed and worded it:
// {kind, stacked, categories: [words], series: [{name, values, texts}]}. Only pages with a chart load this.
// Of a panel that is looked at again and again also {unit, limit: {value, text}, lying, live}.
// [data-chart-group='name']: one pointer over all charts of the name.
// Words come from people: tooltips are drawn as text, never as HTML.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { connect, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([BarChart, LineChart, PieChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

const HUES = 8;
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect", "pin", "arrow", "emptyCircle"];
const NARROW = 480; // pixels: a phone
const NAMED = 640; // pixels: room for the names around a pie
const PAPER = 620; // pixels: a sheet of A4 within its margins and a tile's
const LONGEST = 24; // letters of a word on an axis
const drawn = new Map();
const still = matchMedia("(prefers-reduced-motion: reduce)");

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--vivero-chart-${name}`).trim();
  return {
    hues: Array.from({ length: HUES }, (_, index) => of(index + 1)),
    rest: of("rest"),
    ink: of("ink"),
    line: of("line"),
    ground: of("ground"),
  };
}

const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

// A value in the largest of these units of which it has at least one.
function scaled(value, units) {
  const [size, name] = units.find(([size]) => Math.abs(value) >= size) ?? units.at(-1);
  return value === 0 ? "0" : `${exact.format(value / size)} ${name}`;
}

// An axis of bytes: a power of two between two marks, of which at most four reach the largest value.
function ofBytes(chart) {
  const of = (at) => chart.series.map((one) => one.values[at] ?? 0);
  const tops = chart.categories.map((_, at) => (chart.stacked ? of(at).reduce((sum, value) => sum + value, 0) : Math.max(...of(at))));
  const top = Math.max(1, ...tops);
  const interval = 2 ** Math.ceil(Math.log2(top / 4));
  return { interval, max: interval * Math.ceil(top / interval) };
}

const BYTES = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];
const TIMES = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [0.001, "ms"]];
// Marks of an axis by the unit of its values.
const MARKS = {
  bytes: (value) => scaled(value, BYTES),
  "byte-rate": (value) => `${scaled(value, BYTES)}/s`,
  cores: (value) => exact.format(value),
  rate: (value) => `${(Math.abs(value) < 1 ? exact : compact).format(value)}/s`,
  seconds: (value) => scaled(value, TIMES),
  share: (value) => `${exact.format(value * 100)} %`,
};
const font = { fontFamily: "Inter Variable, ui-sans-serif, system-ui, sans-serif", fontSize: 12 };

function tooltip(theme, trigger) {
  return {
    trigger,
    renderMode: "richText",
    confine: true,
    backgroundColor: theme.ground,
    borderColor: theme.line,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { ...font, color: theme.ink },
    axisPointer: { type: "line", lineStyle: { color: theme.line } },
  };
}

// One line a series: rich text has markup of its own, in braces and bars, which people's words must not be.
const plain = (text) => text.replace(/[{}|]/g, " ");

function pie(chart, theme, width) {
  const [series] = chart.series;
  const narrow = width < NAMED;
  const whole = series.values.reduce((sum, value) => sum + Math.max(0, value ?? 0), 0) || 1;
  const share = (name) => (100 * (data.find((one) => one.name === name)?.value ?? 0)) / whole;
  const data = chart.categories.map((name, index) => ({
    name: plain(name),
    value: Math.max(0, series.values[index] ?? 0),
    text: series.texts[index],
    ...(chart.rest === index && { itemStyle: { color: theme.rest } }),
  }));
  return {
    tooltip: { ...tooltip(theme, "item"), formatter: (at) => `${at.name}\n${at.data.text} (${at.percent.toFixed(1)} %)` },
    legend: { show: narrow, type: "scroll", bottom: 0, textStyle: { ...font, color: theme.ink }, formatter: (name) => `${short(name)}  ${share(name).toFixed(1)} %` },
    series: [
      {
        type: "pie",
        radius: ["48%", "72%"],
        center: ["50%", narrow ? "44%" : "50%"],
        data,
        itemStyle: { borderColor: theme.ground, borderWidth: 2 },
        label: { show: !narrow, ...font, color: theme.ink, formatter: (at) => `${short(at.name)}  ${at.percent.toFixed(1)} %` },
        labelLine: { lineStyle: { color: theme.line } },
      },
    ],
  };
}

// Where it begins to be wrong. Seen where values come near it: it does not stretch the axis.
function limitLine(limit, theme) {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: theme.hues[5], type: "dashed", width: 1 },
    label: { ...font, color: theme.ink, position: "insideEndTop", formatter: plain(limit.text) },
    data: [{ yAxis: limit.value }],
  };
}

function cartesian(chart, theme, narrow) {
  const lines = chart.kind === "line" || chart.kind === "area";
  const several = chart.series.length > 1;
  // Long words beside each other cannot be read: bars then lie down.
  const lying = chart.lying || (!lines && !chart.dated && chart.categories.some((name) => name.length > 10) && chart.categories.length <= 30);
  const words = {
    type: "category",
    data: lying ? chart.categories.toReversed() : chart.categories,
    boundaryGap: !lines,
    axisLine: { lineStyle: { color: theme.line } },
    axisTick: { show: false },
    axisLabel: { ...font, color: theme.ink, hideOverlap: true, formatter: short, width: narrow ? 96 : 160, overflow: lying ? "truncate" : "none" },
  };
  const figures = {
    type: "value",
    ...(chart.unit?.startsWith("byte") && ofBytes(chart)),
    splitLine: { lineStyle: { color: theme.line } },
    axisLabel: { ...font, color: theme.ink, formatter: MARKS[chart.unit] ?? ((value) => compact.format(value)), hideOverlap: true },
  };
  const greyed = (value, index) => (index === chart.rest && !several ? { value, itemStyle: { color: theme.rest } } : value);
  const series = chart.series.map((one, index) => ({
    type: lines ? "line" : "bar",
    name: plain(one.name),
    data: lying ? one.values.map(greyed).toReversed() : lines ? one.values : one.values.map(greyed),
    stack: chart.stacked ? "all" : undefined,
    color: one.rest ? theme.rest : theme.hues[index % HUES],
    barMaxWidth: 48,
    itemStyle: lines ? {} : { borderRadius: chart.stacked ? 0 : lying ? [0, 3, 3, 0] : [3, 3, 0, 0] },
    areaStyle: chart.kind === "area" ? { opacity: chart.stacked ? 0.55 : 0.16 } : undefined,
    symbol: SYMBOLS[index % SYMBOLS.length],
    symbolSize: 7,
    showSymbol: several || chart.categories.length <= 31,
    lineStyle: { width: 2 },
    connectNulls: false,
    markLine: index === 0 && chart.limit ? limitLine(chart.limit, theme) : undefined,
  }));
  const text = (at) => {
    const index = lying ? chart.categories.length - 1 - at.dataIndex : at.dataIndex;
    return `${at.seriesName}: ${chart.series[at.seriesIndex].texts[index]}`;
  };
  return {
    tooltip: {
      ...tooltip(theme, "axis"),
      formatter: (all) => [plain(all[0].name), ...all.map(text)].join("\n"),
    },
    legend: { show: several, type: "scroll", top: 0, left: 0, icon: lines ? undefined : "roundRect", itemWidth: 14, itemHeight: 10, textStyle: { ...font, color: theme.ink }, pageTextStyle: { ...font, color: theme.ink }, pageIconColor: theme.ink, formatter: short },
    grid: { left: 8, right: 16, top: several ? 40 : 16, bottom: 8, containLabel: true },
    xAxis: lying ? figures : words,
    yAxis: lying ? words : figures,
    series,
  };
}

function draw(element) {
  const chart = JSON.parse(element.dataset.chart);
  const theme = colours();
  const narrow = element.clientWidth < NARROW;
  const known = drawn.get(element) ?? init(element, null, { renderer: "svg" });
  drawn.set(element, known);
  if (element.dataset.chartGroup) {
    known.group = element.dataset.chartGroup;
    connect(known.group);
  }
  known.setOption(
    {
      animation: !still.matches && !chart.live,
      animationDuration: 200,
      color: theme.hues,
      textStyle: font,
      ...(chart.kind === "pie" ? pie(chart, theme, element.clientWidth) : cartesian(chart, theme, narrow)),
    },
    true,
  );
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    drawn.get(target)?.resize();
    draw(target);
  }
});

function look() {
  for (const [element, chart] of drawn) {
    if (element.isConnected) continue;
    sizes.unobserve(element);
    chart.dispose();
    drawn.delete(element);
  }
  for (const element of document.querySelectorAll("[data-chart]")) {
    if (!drawn.has(element)) {
      draw(element);
      sizes.observe(element);
    }
  }
}

const again = () => [...drawn.keys()].forEach(draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme"] });
document.addEventListener("htmx:load", look);
// Paper is made at once, so that nothing may be left to the next frame. print.js has made the page light.
addEventListener("beforeprint", () => {
  for (const [element, chart] of drawn) {
    chart.resize({ width: PAPER });
    draw(element);
    chart.getZr().flush();
  }
});
addEventListener("afterprint", () => drawn.forEach((chart) => chart.resize()));
look();
