// Parameters of a function from the JSON Schema of its one object argument: properties by name, in the order of the schema.
import { OptionError } from "../../errors/option-error.ts";
import { isPythonIdentifier } from "../../errors/python-identifier.ts";
import type { JsonSchema, Parameter } from "./function-capability.ts";
import { annotationOf, isSchemaObject, resolveReference } from "./json-schema-annotation.ts";
import { jsonTypesOf, typesOfSchema } from "./json-types.ts";
import { valueLiteral } from "./python-text.ts";

export const mostParameters = 255;

/** What takes whatever is given by name. */
export const anyKeywords: Parameter = Object.freeze({
  name: "arguments",
  annotation: "Any",
  kind: "keywords",
  isOptional: true,
});

/** Whether values of the schema are objects, and nothing else. */
export function isObjectSchema(schema: unknown): schema is JsonSchema {
  return isSchemaObject(schema) && (schema.type === "object" || isSchemaObject(schema.properties));
}

/** The schema behind references at its top. */
export function topOf(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isSchemaObject(schema) || schema.$ref === undefined || depth > 8) return schema;
  return topOf(resolveReference(schema.$ref, root), root, depth + 1);
}

/** `isFromLibrary`: made of what JSON Schema may not be able to say. Throws OptionError for names that are no names in Python, and for more than 255. */
export function parametersOf(
  option: string,
  schema: JsonSchema,
  isFromLibrary = false,
): readonly Parameter[] {
  const top = topOf(schema);
  if (!isObjectSchema(top)) throw new OptionError(option, schema, "a JSON Schema of an object");
  const properties = isSchemaObject(top.properties) ? top.properties : {};
  const required: readonly unknown[] = Array.isArray(top.required) ? top.required : [];
  const parameters: Parameter[] = [];
  for (const [name, property] of Object.entries(properties))
    parameters.push(parameterOf(option, name, property, required.includes(name), schema, isFromLibrary));
  for (const name of required)
    if (typeof name !== "string" || !Object.hasOwn(properties, name))
      throw new OptionError(`${option} required`, name, "names of its properties");
  const more = top.additionalProperties;
  if (more === true || isSchemaObject(more)) {
    if (parameters.some(({ name }) => name === anyKeywords.name))
      throw new OptionError(
        option,
        anyKeywords.name,
        "another name for this parameter: it is that of all further ones",
      );
    parameters.push({ ...anyKeywords, annotation: annotationOf(more, schema) });
  }
  return checkParameters(option, inPythonOrder(parameters));
}

function parameterOf(
  option: string,
  name: string,
  property: unknown,
  required: boolean,
  root: JsonSchema,
  isFromLibrary: boolean,
): Parameter {
  if (!isPythonIdentifier(name))
    throw new OptionError(
      `${option} ${name}`,
      name,
      "parameters whose names are identifiers of Python and no keywords",
    );
  const own = isSchemaObject(property) ? property : {};
  const target = topOf(own, root);
  const described = own.description ?? (isSchemaObject(target) ? target.description : undefined);
  const hasDefault = "default" in own;
  return Object.freeze({
    name,
    annotation: annotationOf(property, root),
    kind: "ordinary",
    isOptional: hasDefault || !required,
    defaultText: hasDefault ? defaultOf(own.default, property, root, isFromLibrary) : undefined,
    description: typeof described === "string" ? described : undefined,
  });
}

/**
 * A default that is not of the schema's own type is made by the schema from something else, and one of a type that JSON does not have was
 * made JSON of: they are not for the guest to send.
 */
function defaultOf(
  value: unknown,
  schema: unknown,
  root: JsonSchema,
  isFromLibrary: boolean,
): string | undefined {
  const accepted = typesOfSchema(schema, root);
  const isAccepted =
    accepted === undefined ? !isFromLibrary : jsonTypesOf(value).some((type) => accepted.has(type));
  return isAccepted ? valueLiteral(value) : undefined;
}

/** Once there was an optional one, a required one and all after it can only be given by name. */
export function inPythonOrder(parameters: readonly Parameter[]): readonly Parameter[] {
  const firstOptional = parameters.findIndex(({ isOptional }) => isOptional);
  if (firstOptional < 0) return parameters;
  const from = parameters.findIndex(({ isOptional }, at) => at > firstOptional && !isOptional);
  if (from < 0) return parameters;
  return parameters.map(
    (parameter, at): Parameter =>
      at >= from && parameter.kind === "ordinary"
        ? Object.freeze({ ...parameter, kind: "keywordOnly" })
        : parameter,
  );
}

function checkParameters(option: string, parameters: readonly Parameter[]): readonly Parameter[] {
  if (parameters.length > mostParameters)
    throw new OptionError(option, `${parameters.length} parameters`, `at most ${mostParameters} parameters`);
  return Object.freeze(parameters);
}
