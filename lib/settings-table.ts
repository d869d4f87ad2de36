import { ConfigSchema } from '../schemas/config.ts'

/** The settings as a Markdown table, one row each. */
export function settingsTable (): string {
  const rows = Object.entries(ConfigSchema.properties).map(([name, schema]) =>
    `| \`${name}\` | ${schema.default === undefined ? '' : `\`${String(schema.default)}\``} | ${String(schema.description)} |`)
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

const BEGIN = '<!-- settings: made by `npm run readme` -->'
const END = '<!-- /settings -->'

/** The text of the README with the table as it should be. */
export function withSettingsTable (readme: string): string {
  const before = readme.slice(0, readme.indexOf(BEGIN) + BEGIN.length)
  const after = readme.slice(readme.indexOf(END))
  return `${before}\n${settingsTable()}\n${after}`
}
