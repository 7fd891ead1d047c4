import type { Manifest } from './testing-build.ts'

/** Support for this folder's tests: the official schemas, by what a manifest says it is. The packages hold them as functions made by
 * Ajv from the OpenAPI of Kubernetes and from the CRDs of the others. */

const PACKAGES: readonly [group: RegExp, folder: string][] = [
  [/^monitoring\.coreos\.com\//, '@kubernetes-models/prometheus-operator/'],
  [/^keda\.sh\//, '@kubernetes-models/keda/'],
  [/^gateway\.networking\.k8s\.io\//, '@kubernetes-models/gateway-api/'],
  [/^(v1$|(apps|policy|networking\.k8s\.io)\/)/, 'kubernetes-models/'],
]

type Model = { validate: () => void }
type Kind = { new (): Model; prototype: Model }

/** What is wrong with it, empty when nothing is. An unknown field is wrong as well, though the schemas let it pass: a server drops
 * it without a word, and a misspelt `readOnlyRootFilesystem` would protect nobody. */
export async function problemsOf(manifest: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest
  const folder = PACKAGES.find(([group]) => group.test(apiVersion))?.[1]
  if (folder === undefined) return [`no package has the schema of ${apiVersion}`]
  const models = (await import(`${folder}${apiVersion}/${kind}`)) as Record<string, Kind>
  const model = models[kind] as Kind
  const looked = new Map<object, Set<PropertyKey>>()
  try {
    model.prototype.validate.call(watched(manifest, looked) as Model)
  } catch (error) {
    return [(error as Error).message]
  }
  return unread(manifest, looked, '').map((path) => `${path} is no field of ${kind}`)
}

/** The same value, which notes what is asked of it: a schema asks for every field that it knows. */
function watched(value: unknown, looked: Map<object, Set<PropertyKey>>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const asked = looked.get(value) ?? new Set()
  looked.set(value, asked)
  return new Proxy(value, {
    get(target, name) {
      asked.add(name)
      return watched(Reflect.get(target, name), looked)
    },
  })
}

function unread(value: unknown, looked: Map<object, Set<PropertyKey>>, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  const asked = looked.get(value)
  return Object.entries(value).flatMap(([name, inner]) =>
    asked?.has(name) ? unread(inner, looked, `${path}/${name}`) : [`${path}/${name}`],
  )
}
