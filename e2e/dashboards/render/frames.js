// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Converts responses of Prometheus and Elasticsearch to data frames, in the form that Grafana's data sources document.
import { FieldType, toDataFrame } from "@grafana/data";

const number = (text) => ({ "+Inf": Infinity, "-Inf": -Infinity, NaN: NaN })[text] ?? Number(text);
const legend = (format, labels) => format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name) => labels[name] ?? "");

function named(format, labels) {
  if (format && format !== "__auto") return legend(format, labels);
  return "{" + Object.entries(labels).filter(([k]) => k !== "__name__").map(([k, v]) => `${k}="${v}"`).join(", ") + "}";
}

// series returns a frame for each series.
function series(r) {
  return r.body.data.result.map(({ metric, value, values }) => {
    const samples = values ?? [value];
    const name = named(r.query.legendFormat, metric);
    return toDataFrame({ refId: r.refId, name, fields: [
      { name: "Time", type: FieldType.time, values: samples.map(([t]) => t * 1000), config: {} },
      { name: "Value", type: FieldType.number, values: samples.map(([, v]) => number(v)), labels: metric, config: { displayNameFromDS: name } },
    ] });
  });
}

// rows returns one frame with a row for each series. With several queries, the field of the value has the refId in its name.
function rows(r, several) {
  const result = r.body.data.result;
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return [toDataFrame({ refId: r.refId, fields: [
    { name: "Time", type: FieldType.time, values: result.map(({ value }) => value[0] * 1000), config: {} },
    ...labels.map((l) => ({ name: l, type: FieldType.string, values: result.map(({ metric }) => metric[l] ?? ""), config: {} })),
    { name: several ? "Value #" + r.refId : "Value", type: FieldType.number, values: result.map(({ value }) => number(value[1])), config: {} },
  ] })];
}

function flat(source, prefix = "", into = {}) {
  for (const [k, v] of Object.entries(source)) {
    if (v && typeof v === "object" && !Array.isArray(v)) flat(v, prefix + k + ".", into);
    else into[prefix + k] = v;
  }
  return into;
}

// documents returns one frame with a row for each document.
function documents(r) {
  const docs = r.body.hits.hits.map((h) => ({ _id: h._id, _index: h._index, ...flat(h._source) }));
  const names = [...new Set(docs.flatMap((d) => Object.keys(d)))].sort();
  return [toDataFrame({ refId: r.refId, fields: names.map((name) => {
    const values = docs.map((d) => d[name] ?? null);
    if (name === r.query.timeField) return { name, type: FieldType.time, values: values.map((v) => Date.parse(v)), config: {} };
    const first = values.find((v) => v !== null);
    const type = { number: FieldType.number, string: FieldType.string, boolean: FieldType.boolean }[typeof first] ?? FieldType.other;
    return { name, type, values, config: {} };
  }) })];
}

// groups returns one frame with a row for each group, or a frame for each group with its values over time.
function groups(r) {
  const [outer, inner] = r.query.bucketAggs;
  const buckets = r.body.aggregations[outer.id].buckets;
  if (!inner) {
    return [toDataFrame({ refId: r.refId, fields: [
      { name: outer.field, type: FieldType.string, values: buckets.map((b) => b.key), config: { filterable: true } },
      { name: "Count", type: FieldType.number, values: buckets.map((b) => b.doc_count), config: {} },
    ] })];
  }
  return buckets.map((b) => toDataFrame({ refId: r.refId, name: b.key, fields: [
    { name: "Time", type: FieldType.time, values: b[inner.id].buckets.map((x) => x.key), config: {} },
    { name: "Value", type: FieldType.number, values: b[inner.id].buckets.map((x) => x.doc_count), config: { displayNameFromDS: r.query.alias.replace(/\{\{term .+?\}\}/, b.key) } },
  ] }));
}

export function frames(responses) {
  return responses.flatMap((r) => {
    if (r.type === "prometheus") return r.query.format === "table" ? rows(r, responses.length > 1) : series(r);
    const kind = r.query.metrics[0].type;
    return kind === "raw_data" || kind === "logs" ? documents(r) : groups(r);
  });
}
