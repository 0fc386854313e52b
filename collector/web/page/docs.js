// The API as /openapi.json describes it, to be read without the internet.
import { h } from "./dom.js";

const api = await (await fetch("/openapi.json")).json();
const { schemas } = api.components;
const named = (schema) => schemas[(schema.$ref ?? schema.items?.$ref ?? "").split("/").pop()];

const main = document.getElementById("main");
main.append(h("h1", {}, `${api.info.title} API`), h("p", {}, api.info.description, " ", h("a", { href: "/openapi.json" }, "openapi.json"), " · ", h("a", { href: "/" }, "page")));

for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, route] of Object.entries(methods)) main.append(section(path, method, route));
}

function section(path, method, { description, summary, parameters = [], requestBody, responses }) {
  const plain = method === "get" && !path.includes("{") && !parameters.some(({ required }) => required) && !path.endsWith("stream");
  return h("section", { class: "route" },
    h("h2", {}, h("code", { class: method }, method.toUpperCase()), " ", plain ? h("a", { href: path }, path) : path),
    h("p", {}, description ?? summary),
    parameters.length > 0 && table(["parameter", "type", ""], parameters.map(({ name, required, schema, description: meaning }) => [h("code", {}, name, required ? " *" : ""), typeOf(schema), [meaning ?? schema.description, schema.default !== undefined && ` Default: ${schema.default}`]])),
    requestBody && h("p", {}, "body: ", fields(Object.values(requestBody.content)[0].schema)),
    h("ul", {}, Object.entries(responses).map(([status, { description: meaning, content }]) => {
      const schema = content?.["application/json"]?.schema;
      return h("li", {}, h("code", {}, status), ` ${meaning} `, schema && Object.keys(schema).length > 0 && h("details", {}, h("summary", {}, typeOf(schema)), fields(schema)));
    })));
}

function fields(schema) {
  const model = named(schema);
  if (!model?.properties) return h("code", {}, typeOf(schema));
  return h("div", {}, h("p", {}, model.description), table(["field", "type"], Object.entries(model.properties).map(([name, kind]) => [h("code", {}, name), typeOf(kind)])));
}

function typeOf(schema = {}) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.enum) return schema.enum.join(" | ");
  return schema.type === "array" ? `${typeOf(schema.items)}[]` : schema.type ?? "any";
}

function table(heads, rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell))))));
}
