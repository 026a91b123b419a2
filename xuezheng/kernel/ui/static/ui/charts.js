// Line charts.  <div data-chart="ID"> is drawn from <script type="application/json" id="ID">:
// {labels, actual, plan, target, unit, decimals}.  SVG renderer and rich-text tooltips, because the
// content policy allows no inline style.
(function () {
  "use strict";

  const css = getComputedStyle(document.body);
  const colour = (name) => css.getPropertyValue(name).trim();
  const drawn = [];

  function last(values) {
    for (let i = values.length - 1; i >= 0; i -= 1) if (values[i] !== null) return i;
    return -1;
  }

  // The last point carries the line's name, so that no legend is needed.
  function named(values, word, unit) {
    const end = last(values);
    return values.map((value, index) => (index === end && value !== null
      ? { value, label: { show: true, formatter: `${word} ${value}${unit}` } }
      : value));
  }

  function option(data, words, size) {
    const text = { fontFamily: css.fontFamily, fontSize: size * 0.8, color: colour("--ink-2") };
    const unit = data.unit || "";
    const dense = data.actual.length > 16;
    const series = [{
      name: words.wordActual,
      type: "line",
      data: named(data.actual, words.wordActual, unit),
      connectNulls: true,
      symbol: "circle",
      symbolSize: dense ? 3 : 7,
      lineStyle: { width: 2.5, color: colour("--brand-600") },
      itemStyle: { color: colour("--brand-600") },
      label: { show: false, position: "bottom", distance: 10, offset: [size, 0], fontSize: size * 0.85, fontWeight: "bold", color: colour("--brand-700") },
      z: 3,
    }];
    if (data.plan && data.plan.length) {
      series.push({
        name: words.wordPlan,
        type: "line",
        data: data.plan,
        connectNulls: true,
        symbol: "none",
        lineStyle: { width: 1.5, type: "dashed", color: colour("--ink-3") },
        itemStyle: { color: colour("--ink-3") },
        // A line without symbols shows no label on a point: name it at its end.
        endLabel: {
          show: true,
          formatter: `${words.wordPlan} ${data.plan[last(data.plan)]}${unit}`,
          fontSize: size * 0.8,
          color: colour("--ink-2"),
        },
      });
    }
    if (data.target !== null && data.target !== undefined) {
      series[0].markLine = {
        silent: true,
        symbol: "none",
        lineStyle: { color: colour("--green"), type: "dotted", width: 1.5 },
        label: { position: "insideStartTop", formatter: `${words.wordTarget} ${data.target}${unit}`, fontSize: size * 0.8, color: colour("--green-ink") },
        data: [{ yAxis: data.target }],
      };
    }
    return {
      animation: false,
      textStyle: text,
      grid: { left: size * 3, right: size * 4.6, top: size, bottom: size * 1.8 },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        borderColor: colour("--line-2"),
        textStyle: { ...text, color: colour("--ink") },
        valueFormatter: (value) => (value === null || value === undefined ? "–" : `${value}${unit}`),
      },
      xAxis: {
        type: "category",
        data: data.labels,
        boundaryGap: false,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: colour("--ctl") } },
        axisLabel: { ...text, hideOverlap: true },
      },
      yAxis: {
        type: "value",
        scale: true,
        axisLabel: { ...text, formatter: `{value}${unit}` },
        splitLine: { lineStyle: { color: colour("--line") } },
      },
      series,
    };
  }

  function draw(place) {
    const data = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
    let chart = echarts.getInstanceByDom(place);
    if (!chart) {
      chart = echarts.init(place, null, { renderer: "svg" });
      drawn.push(place);
    }
    chart.resize();
    chart.setOption(option(data, place.dataset, size), true);
  }

  document.querySelectorAll("[data-chart]").forEach(draw);

  let timer = null;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => drawn.forEach(draw), 150);
  });
  // Paper is narrower than the screen: draw again in the size of the page, and back.
  window.matchMedia("print").addEventListener("change", () => drawn.forEach(draw));
})();
