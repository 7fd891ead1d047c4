import { z } from 'zod'
import type { Locked } from './lock-file.ts'

const component = z.looseObject({
  'bom-ref': z.string(),
  name: z.string(),
  version: z.string(),
  licenses: z.array(z.unknown()).optional(),
})
const bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component }),
  components: z.array(component),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
})

export type BillOfMaterials = z.infer<typeof bill>

const TESTS = '@pay/e2e'

/** What `npm sbom` lists of everything, cut down to what is in the image. npm's own `--omit=dev` drops packages that
 * both a tool and the gateway need (https://github.com/npm/cli/issues/7204), and it calls the whole after its folder. */
export function toBillOfMaterials(json: unknown, packages: readonly Locked[]): BillOfMaterials {
  const { metadata, components, dependencies, ...rest } = bill.parse(json)
  const whole = metadata.component['bom-ref']
  const kept = new Set([whole, ...packages.filter(isInImage).map(({ name, version }) => `${name}@${version}`)])
  const ours = new Set(packages.filter((found) => found.ours).map(({ name, version }) => `${name}@${version}`))
  const licensed = (found: z.infer<typeof component>) =>
    ours.has(found['bom-ref']) ? { ...found, licenses: metadata.component.licenses } : found
  return {
    ...rest,
    metadata: { ...metadata, component: { ...metadata.component, type: 'application', name: nameIn(whole) } },
    components: components.filter((found) => kept.has(found['bom-ref'])).map(licensed),
    dependencies: dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) })),
  }
}

/** As the Dockerfile installs it: `--omit=dev --omit=optional`. */
const isInImage = ({ name, development, optional }: Locked) => name !== TESTS && !development && !optional

const nameIn = (reference: string) => reference.slice(0, reference.lastIndexOf('@'))
