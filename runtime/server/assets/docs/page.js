// Shows openapi.json and sends requests by it. Text goes into the page as text alone, never as markup.
"use strict";

const KEPT = "tenter-token";
const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

// A schema with its reference followed.
function followed(api, schema) {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? api.components.schemas[name] : schema;
}

function typeOf(schema) {
  if (!schema) return "";
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "";
  return schema.enum ? schema.enum.join(" | ") : type + (schema.default === undefined ? "" : `, default ${schema.default}`);
}

function rows(titles, lines) {
  const table = make("table", {}, make("tr", {}, ...titles.map((title) => make("th", {}, title))));
  for (const line of lines) table.append(make("tr", {}, ...line.map((cell) => make("td", {}, cell))));
  return table;
}

function inputFor(parameter) {
  const attributes = { "aria-label": parameter.name, autocomplete: "off" };
  if (parameter.required) attributes.required = "";
  const options = parameter.schema.enum || (parameter.schema.type === "boolean" ? ["false", "true"] : null);
  if (!options) return make("input", attributes);
  const first = parameter.required ? [] : [make("option", { value: "" }, "")];
  return make("select", attributes, ...first, ...options.map((option) => make("option", {}, option)));
}

// The address that the form asks for, relative to this page so that a prefix of a proxy stays.
function target(path, inputs) {
  const query = new URLSearchParams();
  let address = path.slice(1);
  for (const [parameter, input] of inputs) {
    const value = input.value;
    if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query" && value !== "") {
      const values = parameter.schema.type === "array" ? value.split(/\s+/) : [value];
      values.forEach((one) => query.append(parameter.name, one));
    }
  }
  const asked = query.toString();
  return address + (asked ? `?${asked}` : "");
}

async function send(method, path, inputs, body, output) {
  const headers = {};
  const token = byId("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const [parameter, input] of inputs) {
    if (parameter.in === "header" && input.value) headers[parameter.name] = input.value;
  }
  const request = { method: method.toUpperCase(), headers, credentials: "omit" };
  if (body && body.files && body.files.length) {
    headers["Content-Type"] = "application/wasm";
    request.body = body.files[0];
  } else if (body && !body.files && body.value.trim()) {
    headers["Content-Type"] = "application/json";
    request.body = body.value;
  }
  output.textContent = "…";
  const began = performance.now();
  try {
    const answer = await fetch(target(path, inputs) || ".", request);
    const text = await answer.text();
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not every answer is JSON.
    }
    const took = Math.round(performance.now() - began);
    output.textContent = `${answer.status} ${answer.statusText} · ${took} ms · ${text.length} characters\n\n${shown.slice(0, 200000)}`;
  } catch (error) {
    output.textContent = `no answer: ${error.message}`;
  }
}

function operation(api, method, path, about) {
  const inside = make("div", { class: "inside" });
  if (about.description) inside.append(make("p", {}, about.description));
  const inputs = (about.parameters || []).map((parameter) => [parameter, inputFor(parameter)]);
  const form = make("form");
  if (inputs.length) {
    form.append(
      rows(
        ["parameter", "value", "in", "type", "meaning"],
        inputs.map(([p, input]) => [p.name + (p.required ? " *" : ""), input, p.in, typeOf(p.schema), p.description || ""]),
      ),
    );
  }
  let body = null;
  const content = about.requestBody && about.requestBody.content;
  if (content && content["application/json"]) {
    const schema = followed(api, content["application/json"].schema);
    body = make("textarea", { "aria-label": "body", spellcheck: "false" });
    body.value = schema && schema.examples ? JSON.stringify(schema.examples[0], null, 2) : "";
    form.append(make("p", {}, "Body, JSON"), body);
  } else if (content) {
    body = make("input", { type: "file", "aria-label": "body" });
    form.append(make("p", {}, `Body, ${Object.keys(content)[0]} `, body));
  }
  const output = make("pre", { hidden: "", "aria-live": "polite" });
  form.append(make("button", { type: "submit" }, "Send"), output);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    output.hidden = false;
    send(method, path, inputs, body, output);
  });
  const answers = Object.entries(about.responses).map(([status, answer]) => [status, answer.description]);
  const good = about.responses["200"].content && about.responses["200"].content["application/json"];
  inside.append(form, make("p", {}, "Answers"), rows(["status", "when"], answers));
  if (good) {
    const shape = JSON.stringify(followed(api, good.schema), null, 2);
    inside.append(make("details", {}, make("summary", {}, "Shape of 200"), make("pre", {}, shape)));
  }
  const summary = make("summary", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path), ` ${about.summary}`);
  const all = make("details", { "data-words": `${method} ${path} ${about.summary}`.toLowerCase() }, summary);
  // Forms are made when they are wanted.
  all.addEventListener("toggle", () => all.append(inside), { once: true });
  return all;
}

function show(api) {
  byId("about").textContent = `${api.info.summary}. Version ${api.info.version}. ${api.info.description}`;
  const place = byId("operations");
  place.replaceChildren();
  for (const tag of api.tags) {
    place.append(make("h2", {}, tag.description));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, about] of Object.entries(methods)) {
        if (about.tags[0] === tag.name) place.append(operation(api, method, path, about));
      }
    }
  }
}

byId("token").value = sessionStorage.getItem(KEPT) || "";
byId("token").addEventListener("input", () => sessionStorage.setItem(KEPT, byId("token").value.trim()));
byId("find").addEventListener("input", () => {
  const wanted = byId("find").value.toLowerCase();
  for (const one of document.querySelectorAll("details[data-words]")) one.hidden = !one.dataset.words.includes(wanted);
});
fetch("openapi.json")
  .then((answer) => answer.json())
  .then(show, (error) => byId("operations").replaceChildren(`openapi.json cannot be read: ${error.message}`));
