/**
 * The option table's schema, compiled by ajv: decides about any configuration, and says what is
 * wrong with it.
 *
 * @module
 */
import { Ajv, type ValidateFunction } from "ajv";
import { formats } from "./formats.ts";
import { publishedSchema } from "./json_schema.ts";
import { type Config, options } from "./options.ts";

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  useDefaults: true,
  ownProperties: true,
  strict: true,
  allowUnionTypes: true,
});
for (const format of formats) ajv.addFormat(format.name, format.accepts);

/** Whether it is a configuration; fills in the defaults. What is wrong is in its `errors`. */
export const isConfig: ValidateFunction<Config> = ajv.compile<Config>(publishedSchema(options));
