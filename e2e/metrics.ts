/** One line of a `/metrics` page. */
export type Sample = { name: string; labels: Record<string, string>; value: number }

/** What a service counts, from its operators' door. */
export async function samplesOf(opsUrl: string): Promise<Sample[]> {
  const response = await fetch(`${opsUrl}/metrics`)
  return (await response.text()).split('\n').flatMap(sampleOf)
}

/** The sum of all samples of this name that carry these labels. */
export async function sumOf(opsUrl: string, name: string, labels: Record<string, string> = {}): Promise<number> {
  const isMeant = (sample: Sample) =>
    sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  const values = (await samplesOf(opsUrl)).filter(isMeant).map(({ value }) => value)
  return values.reduce((sum, value) => sum + value, 0)
}

function sampleOf(line: string): Sample[] {
  const [, name, labels = '', value] = /^([a-z_:]+)(?:\{(.*)\})? (\S+)/i.exec(line) ?? []
  if (name === undefined) return []
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text])
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }]
}
